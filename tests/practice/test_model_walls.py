"""The walls around a client of the model checker, whose answer got past the screen: what it can still do."""

import pytest
from compilers import NEEDS_C

from lockfree.modelcheck import BuildError, Settings, Verdict, check
from lockfree.practice.limits import enclosing

pytestmark = NEEDS_C
CLIENT = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "lockfree_model.h"

/* In place of fork(), open(), kill() and their kin the checker has its own functions. It does not know of these. */
#define REFUSED(call) lf_model_assert((call) == -1 && errno == EPERM)
static void first(void) {
    REFUSED(_Fork());
    REFUSED(execveat(AT_FDCWD, "/bin/true", 0, 0, 0));
    REFUSED(tgkill(getppid(), getppid(), 0));
    REFUSED(inotify_init());
    REFUSED(ptrace(PTRACE_ATTACH, 1, 0, 0));
    REFUSED(process_vm_writev(1, 0, 0, 0, 0, 0));
    REFUSED(mkdirat(AT_FDCWD, "made", 0700));
    REFUSED(unlinkat(AT_FDCWD, "walls.c", 0));
    REFUSED(unshare(CLONE_NEWUSER));
    REFUSED(setsid());
}
LF_MODEL_CLIENT(walls, .threads = {first});
"""


def test_a_client_behind_walls_starts_reads_and_signals_nothing(tmp_path):
    source = tmp_path / "walls.c"
    source.write_text(CLIENT)
    settings = Settings(seconds=1)
    (report,) = check(source, settings=settings, enclose=enclosing(1))
    assert (report.verdict, report.message) == (Verdict.OK, "")
    assert [path.name for path in tmp_path.iterdir()] == ["walls.c"]


ENDLESS = """
#include "lockfree_model.h"
__attribute__((constructor)) static void early(void) { for (volatile int at = 0;; at++) ; }
static void first(void) {}
LF_MODEL_CLIENT(walls, .threads = {first});
"""


def test_a_client_that_never_begins_is_ended(tmp_path):
    """By the limit on CPU time, since the checker's own clock does not run yet."""
    source = tmp_path / "walls.c"
    source.write_text(ENDLESS)
    with pytest.raises(BuildError, match="ends before its main, with status -24"):
        check(source, settings=Settings(seconds=1), enclose=enclosing(-4.5))
