import json
import subprocess
import sys

import pytest


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


OF_HANDLERS = """
import json, sys, lockfree
made = {made}
before = set(sys.modules)
for call in {calls}:
    if hasattr(made, call):
        getattr(made, call)()
repr(made), made.stats(), made.peers(), made.close()
print(json.dumps(sorted(set(sys.modules) - before)))
"""
"""A signal handler may come in the middle of an import, and finds half a module then."""


@pytest.mark.parametrize(
    "made",
    ["SPSCRing(4, 16)", "MPMCRing(4, 16)", "PriorityQueue(4, 16)", "MessageRing(1 << 16)", "BroadcastRing(1 << 16, 2)"]
    + ["BlockPool(8)", "Arena(1 << 20)", "Queue(4)", "LatestValue(16)", "Space(1 << 16)", "Barrier(1)", "EventCount()"]
    + ["Mutex()", "SpinLock()", "RLock()", "RWLock()", "Semaphore(3)", "Condition()", "Event()", "AtomicU64(0)"],
)
def test_what_a_signal_handler_may_call_imports_nothing(made):
    calls = ["join", "fileno", "arm", "try_get", "try_acquire", "set", "alloc", "recover_dead", "shutdown"]
    if made.startswith("LatestValue"):
        calls.remove("set")  # it takes a value
    if made.startswith("Queue"):
        calls.remove("join")  # it waits
    if made.startswith("Arena"):
        calls.remove("alloc")
    if made.startswith("RLock"):
        del calls[1:3]  # it has no descriptor
    assert json.loads(run(OF_HANDLERS.format(made=f"lockfree.{made}", calls=calls))) == []
