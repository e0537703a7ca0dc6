"""An access that is wider than all before: the search begins again, and counts each execution once."""

import pytest
from compilers import NEEDS_C

from lockfree.modelcheck import Settings, Verdict, build, replay
from lockfree.modelcheck.runner import run

pytestmark = NEEDS_C

SOURCE = """
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include "lockfree_model.h"
static union { _Atomic uint64_t whole; _Atomic uint32_t half[2]; } u;
static void low(void) { atomic_store(&u.half[0], 1); }
static void high(void) { atomic_store(&u.half[1], 1); }
static void look(void) { lf_model_observe("seen", atomic_load(&u.whole)); }
static void both(void) { lf_model_assert(u.whole == UINT64_C(0x100000001)); }
static void one(void) { lf_model_assert(atomic_load(&u.whole) != UINT64_C(1) << 32); }
LF_MODEL_CLIENT(right, .threads = {low, high, look}, .final = both);
LF_MODEL_CLIENT(wrong, .threads = {low, high, one}, .final = both);
"""
SEEN = {f"seen={value}" for value in (0, 1, 1 << 32, (1 << 32) + 1)}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("widths") / "widths.c"
    path.write_text(SOURCE)
    build(path, path.with_suffix(""))
    return path


def test_each_execution_is_counted_once(source):
    report = run(source.with_suffix(""), "right", Settings(mode="exhaustive", outcomes=True))
    assert (report.verdict, report.complete, report.kind) == (Verdict.OK, True, "")
    assert (report.executions, report.outcomes) == (6, SEEN)


@pytest.mark.parametrize("mode", ["random", "pct"])
def test_samples_begin_again(source, mode):
    report = run(source.with_suffix(""), "right", Settings(mode=mode, executions=500, seconds=60, outcomes=True))
    assert (report.kind, report.executions, report.outcomes) == ("", 500, SEEN)


@pytest.mark.parametrize("mode", ["exhaustive", "random", "pct"])
def test_what_is_found_is_found_again(source, mode):
    """The replay, too, meets the wide access for the first time."""
    report = run(source.with_suffix(""), "wrong", Settings(mode=mode, seconds=60))
    assert report.kind == "assertion failed"
    again = replay(source, report.token)
    assert (again.kind, again.message) == (report.kind, report.message)
