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
