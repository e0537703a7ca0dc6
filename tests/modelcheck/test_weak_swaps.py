"""Weak compare-and-swaps that fail for no reason, where that is asked for."""

import subprocess

import compilers
import pytest

from lockfree.modelcheck import Settings, check, replay

SOURCE = """
#include <stdatomic.h>
#include "lockfree_model.h"

static atomic_int x;
static int refused;
static void adds(void) {
    int seen = atomic_load(&x);
    while (!atomic_compare_exchange_weak(&x, &seen, seen + 1))
        ;
}
static void all(void) { lf_model_assert(x == 3); }
static void tries(void) {
    int seen = 0;
    refused = !atomic_compare_exchange_weak(&x, &seen, 1);
}
static void tries_hard(void) {
    int seen = 0;
    refused = !atomic_compare_exchange_strong(&x, &seen, 1);
}
static void done(void) { lf_model_assert(!refused); }
LF_MODEL_CLIENT(loop, .threads = {adds, adds, adds}, .final = all);
LF_MODEL_CLIENT(once, .threads = {tries}, .final = done);
LF_MODEL_CLIENT(strong, .threads = {tries_hard}, .final = done);
"""


@compilers.NEEDS_C
@pytest.mark.parametrize("asked", [False, True])
def test_a_weak_swap_fails_for_no_reason_where_that_is_asked_for(asked, tmp_path):
    source = tmp_path / "weak.c"
    source.write_text(SOURCE)
    reports = {report.client: report for report in check(source, settings=Settings(weak_failures=asked))}
    said = subprocess.run([*compilers.command("c"), "--version"], capture_output=True, text=True, check=True).stdout
    told = asked and "clang" not in said  # it does not tell which swaps are weak
    assert [reports[name].kind for name in ("loop", "once", "strong")] == ["", "assertion failed" if told else "", ""]
    assert all(report.complete for report in reports.values() if not report.token)
    if told:
        assert "a weak swap fails for no reason" in reports["once"].trace.render()
        assert replay(source, reports["once"].token).trace.render() == reports["once"].trace.render()
