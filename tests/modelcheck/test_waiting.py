"""A thread that could only wait goes last: as many executions, and few in which one waits for nothing."""

import pytest

from lockfree.modelcheck import Settings, Verdict, check, replay

PROGRAM = """
#include <pthread.h>
#include <stdatomic.h>
static int shared, seen[3];
static atomic_int next, owner, word;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *enters(void *p) {
    long me = (long)p;
    int wanted;
    (void)wanted;
    LOCK;
    seen[me] = shared;
    shared = (int)me;
    UNLOCK;
    return p;
}
int main(void) {
    pthread_t t[3];
    for (long i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, enters, (void *)i);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}
"""
GIVE_BACK = "atomic_store_explicit(&word, 0, memory_order_release)"
LOCKS = {
    "mutex": ("pthread_mutex_lock(&mutex)", "pthread_mutex_unlock(&mutex)", 5),
    "ticket": (
        "wanted = atomic_fetch_add(&next, 1); while (atomic_load(&owner) != wanted) ;",
        "atomic_store(&owner, wanted + 1)",
        13,
    ),
    "exchange": ("while (atomic_exchange_explicit(&word, 1, memory_order_acquire)) ;", GIVE_BACK, 18),
    "compare and exchange": (
        "do wanted = 0; while (!atomic_compare_exchange_strong(&word, &wanted, 1));",
        GIVE_BACK,
        9,
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_three_threads_and_a_lock(name, tmp_path):
    lock, unlock, blocked = LOCKS[name]
    path = tmp_path / "lock.c"
    path.write_text(PROGRAM.replace("UNLOCK", unlock).replace("LOCK", lock))
    [report] = check(path, settings=Settings(mode="exhaustive"))
    assert (report.kind, report.executions) == ("", 6)  # the orders of three
    assert report.blocked <= blocked


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_that_is_never_given_back(name, tmp_path):
    path = tmp_path / "lock.c"
    path.write_text(PROGRAM.replace("UNLOCK", "(void)0").replace("LOCK", LOCKS[name][0]))
    [report] = check(path, settings=Settings(mode="exhaustive"))
    assert report.kind == "deadlock", report.message


RETRIES = """
#include <pthread.h>
#include <stdatomic.h>
static atomic_int x;
static int sum;
static void *adds(void *p) {
    int seen, one = (int)(long)p;
    LOOP;
    return p;
}
int main(void) {
    pthread_t t[3];
    for (long i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, adds, (void *)(1L << i));
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    return x != RIGHT;
}
"""
LOOPS = {
    "looks again": (
        "do seen = atomic_load(&x); while (!atomic_compare_exchange_strong(&x, &seen, seen + one))",
        20,  # 60 if every failure counted
    ),
    "keeps what it found": (
        "seen = atomic_load(&x); while (!atomic_compare_exchange_strong(&x, &seen, seen + one)) ;",
        40,  # 48
    ),
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize(("right", "kind"), [(7, ""), (6, "exit status")])
def test_failed_exchanges_that_lead_nowhere_new(name, right, kind, tmp_path):
    path = tmp_path / "retries.c"
    path.write_text(RETRIES.replace("LOOP", LOOPS[name][0]).replace("RIGHT", str(right)))
    [report] = check(path, settings=Settings(mode="exhaustive"))
    assert report.kind == kind, report.message
    if not kind:
        assert 6 <= report.executions <= LOOPS[name][1]  # at least the orders of three


ONE_RETRY_COUNTS = """
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
static atomic_int x;
static void *sets(void *p) { x = 1; return p; }
int main(void) {
    pthread_t t;
    int seen, failures = 0;
    pthread_create(&t, NULL, sets, NULL);
    do seen = atomic_load(&x); while (!atomic_compare_exchange_strong(&x, &seen, 2) && ++failures);
    assert(failures != 1);
    pthread_join(t, NULL);
}
"""


def test_a_failure_that_is_counted_leads_elsewhere(tmp_path):
    (tmp_path / "counts.c").write_text(ONE_RETRY_COUNTS)
    [report] = check(tmp_path / "counts.c", settings=Settings(mode="exhaustive"))
    assert report.kind == "assertion failed", report.message


PLAIN_SPIN = """
#include <pthread.h>
#include <assert.h>
static volatile int flag;
static int data;
static void *writer(void *none) { %s return none; }
int main(void) {
    pthread_t t;
    pthread_create(&t, 0, writer, 0);
    while (!flag)
        ;
    assert(data == 1);
    return pthread_join(t, 0);
}
"""


def plain_spin(directory, writer):
    path = directory / "spin.c"
    path.write_text(PLAIN_SPIN % writer)
    [report] = check(path, settings=Settings(silent=0.5))
    assert report.verdict is Verdict.VIOLATION
    return report


def test_a_plain_loop_that_waits_for_another_thread_is_a_race(tmp_path):
    report = plain_spin(tmp_path, "data = 1; flag = 1;")
    assert report.kind == "data race"
    assert "write at flag by T2 (spin.c:6 writer)" in report.message
    assert "read by T1 (spin.c:10 main)" in report.message
    again = replay(tmp_path / "spin.c", report.token)
    assert (again.kind, again.message) == (report.kind, report.message)


def test_a_plain_loop_that_nobody_ends_is_named_by_its_line(tmp_path):
    report = plain_spin(tmp_path, "data = 1;")
    assert report.kind == "endless loop"
    assert "(spin.c:10 main)" in report.message
    assert report.trace is not None
    assert "chooses" not in report.trace.render()


def test_a_long_computation_is_no_loop_that_waits(tmp_path):
    path = tmp_path / "sum.c"
    path.write_text("""
        #include <stdatomic.h>
        #include "lockfree_model.h"
        static int big[100000];
        static atomic_int x;
        static void t(void) {
            int sum = 0;
            for (int i = 0; i < 300000; i++) sum += big[i % 100000];
            atomic_fetch_add(&x, sum + 1);
        }
        LF_MODEL_CLIENT(c, .threads = {t, t}, .final = 0);""")
    [report] = check(path, settings=Settings(mode="exhaustive", symmetry=False, seconds=60))
    assert (report.verdict, report.executions) == (Verdict.OK, 2)
