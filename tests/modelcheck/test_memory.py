"""What happens to memory, locks and threads before they are there, after they are gone, and if nobody ends them.

A client's name says what is found in it: `right_...` nothing, `data_race__...` a data race.
"""

import re
from pathlib import Path

import compilers
import pytest

from lockfree.modelcheck import Settings, Verdict, build, check, replay
from lockfree.modelcheck.runner import run

SOURCE = Path(__file__).with_name("memory.c")
CLIENTS = re.findall(r"LF_MODEL_CLIENT\((\w+)", SOURCE.read_text())
WARNINGS = {
    "right_but_loses_8_bytes": "8 bytes that T1 allocated (memory.c:",
    "right_but_loses_the_end": "8 bytes that T1 allocated (memory.c:",
    "right_but_leaves_a_thread": "T2 is neither joined nor detached",
}


def expected(client):
    return "" if client.startswith("right_") else client.partition("__")[0].replace("_", " ")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(SOURCE, tmp_path_factory.mktemp("memory") / "memory", warn=compilers.warned)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_execution(client, program):
    report = run(program, client, Settings(mode="exhaustive"))
    assert report.kind == expected(client), report.message
    assert report.complete
    if expected(client):
        again = replay(SOURCE, report.token)
        assert (again.kind, again.message) == (report.kind, report.message)
        return
    assert len(report.warnings) == (client in WARNINGS)
    assert all(WARNINGS[client] in warning for warning in report.warnings)


@pytest.mark.parametrize("mode", ["random", "pct", "bounded"])
def test_every_search_agrees(mode, program):
    for client in CLIENTS:
        report = run(program, client, Settings(mode=mode, executions=400))
        assert report.kind == expected(client), (client, report.message)


def test_both_sides_of_a_late_use_are_named(program):
    report = run(program, "use_after_return__not_ordered", Settings(mode="exhaustive"))
    assert re.search(
        r"by T1 \(memory.c:\d+ waits_to_borrow\) is not ordered before the end \(memory.c:\d+", report.message
    )


LARGE = {
    "more than 256 barriers": """
        #include <pthread.h>
        static pthread_barrier_t b[300];
        static void t(void) { for (int i = 0; i < 300; i++) { pthread_barrier_init(&b[i], 0, 1); pthread_barrier_wait(&b[i]); } }
        """,
    "more than 60000 atomic objects": """
        static atomic_char x[70000];
        static void t(void) { for (int i = 0; i < 70000; i++) atomic_store_explicit(&x[i], 1, memory_order_relaxed); }
        """,
    "more than 65536 words of 8 bytes that plain accesses touch": """
        static long x[70000];
        static void t(void) { for (int i = 0; i < 70000; i++) x[i] = i; }
        """,
}


@pytest.mark.parametrize("said", LARGE)
def test_what_is_too_large_is_named(said, tmp_path):
    path = tmp_path / "large.c"
    path.write_text(
        f'#include <stdatomic.h>\n#include "lockfree_model.h"\n{LARGE[said]}\nLF_MODEL_CLIENT(large, .threads = {{t}});\n'
    )
    [report] = check(path, settings=Settings(mode="random", executions=1, steps=100_000))
    assert report.verdict is Verdict.UNUSABLE
    assert said in report.message
