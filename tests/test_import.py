import json
import subprocess
import sys


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_needs_cffi_alone():
    loaded = json.loads(run("import sys, json, lockfree; print(json.dumps(sorted(sys.modules)))"))
    top = {name.split(".")[0] for name in loaded}
    for heavy in ("numpy", "rich", "jinja2", "multiprocessing", "asyncio", "argparse", "subprocess"):
        assert heavy not in top
    for tool in ("linearizability", "stress", "modelcheck"):
        assert f"lockfree.{tool}" not in loaded


def test_every_public_name_exists_and_is_documented():
    import lockfree

    for name in lockfree.__all__:
        assert getattr(lockfree, name) is not None
        if not name.startswith("__"):
            assert getattr(lockfree, name).__doc__, name


def test_the_stub_names_what_the_modules_make_public():
    from lockfree import _names

    written = (_names.PACKAGE / "__init__.pyi").read_text()
    assert written == _names.stub(), "run `python -m lockfree._names`"


def test_a_command_loads_its_own_instrument_alone():
    code = (
        "import sys, json, lockfree.__main__ as main\n"
        "try:\n    main.main([{!r}, '--version-of-nothing'])\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    homes = {"bench", "linearizability", "machine", "modelcheck", "practice", "stress"}
    loaded = set(json.loads(run(code.format("model"))))
    assert "lockfree.modelcheck.cli" in loaded
    assert not loaded & {f"lockfree.{home}.cli" for home in homes - {"modelcheck"}}
    assert not loaded & {"lockfree._native", "asyncio", "logging", "jinja2"}, "a small client is checked in less time"


def test_the_homes_of_commands_are_true():
    code = "import argparse, json, lockfree.__main__ as main\nprint(json.dumps([main.HOMES, [\n"
    code += "(name, parser.get_default('run').__module__) for action in main._parser()._actions\n"
    code += "if isinstance(action, argparse._SubParsersAction) for name, parser in action.choices.items()]]))"
    homes, there = json.loads(run(code))
    assert {name: module.split(".")[1] for name, module in there if module.endswith(".cli")} == homes
