"""Who could only wait goes last: as many executions, and few in which somebody waits in vain."""

import pytest

from lockfree.modelcheck import Settings, check

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
        12,
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
