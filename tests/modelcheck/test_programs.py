"""Whole programs as they are: how they begin and end, several files, many threads, and what the C library keeps."""

import re

import pytest

from lockfree.modelcheck import Settings, Verdict, check, replay

INCLUDES = """
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
static atomic_int x;
static int plain;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static void *add(void *p) { atomic_fetch_add(&x, 1); return p; }
static void *add_guarded(void *p) { pthread_mutex_lock(&guard); plain++; pthread_mutex_unlock(&guard); return p; }
static void *add_plainly(void *p) { plain++; return p; }
static void *set(void *p) { *(int *)p = 1; return p; }
static pthread_t begin_with(void *(*function)(void *), void *p) { pthread_t t; pthread_create(&t, NULL, function, p); return t; }
static pthread_t begin(void *(*function)(void *)) { return begin_with(function, NULL); }
static void end(pthread_t t) { pthread_join(t, NULL); }
"""


@pytest.fixture
def model(tmp_path):
    def run(text, *, includes=INCLUDES, **options):
        (tmp_path / "program.c").write_text(includes + text)
        [report] = check(tmp_path / "program.c", **options)
        return report

    return run


ENDS = [
    ('int main(void) { end(begin(add)); printf("%d\\n", x); }', ""),
    ("int main(void) { end(begin(add)); assert(x == 2); }", "assertion failed"),
    ("int main(void) { end(begin(add)); exit(EXIT_SUCCESS); }", ""),
    ("int main(void) { end(begin(add)); exit(x + 1); }", "exit status"),
    ("int main(void) { end(begin(add)); return x + 1; }", "exit status"),
    ("int main(void) { begin(add_guarded); begin(add_guarded); pthread_exit(NULL); }", ""),
    ("int main(void) { begin(add_plainly); begin(add_plainly); pthread_exit(NULL); }", "data race"),
    ("int main(void) { int of_main = 0; begin_with(set, &of_main); pthread_exit(NULL); }", ""),
    ("static void lend(void) { int mine = 0; begin_with(set, &mine); } int main(void) { lend(); pthread_exit(0); }", "use after return"),
    # nobody waits for ever in a process that has ended
    ("static void *wait(void *p) { while (!x) ; return p; } int main(void) { begin(wait); exit(0); }", ""),
    ("static void *wait(void *p) { while (!x) ; return p; } int main(void) { begin(wait); pthread_exit(0); }", "deadlock"),
    ("static void *leave(void *p) { _exit((int)(long)p); } int main(void) { end(begin(leave)); return 1; }", ""),
    ("static void last(void) { assert(x == 1); } int main(void) { atexit(last); end(begin(add)); }", ""),
    ("static void last(void) { assert(x == 2); } int main(void) { atexit(last); end(begin(add)); exit(0); }", "assertion failed"),
    ("__attribute__((destructor)) static void last(void) { assert(x == 1); } int main(void) { end(begin(add)); }", ""),
    ("__attribute__((destructor)) static void last(void) { assert(x == 2); } int main(void) { end(begin(add)); }", "assertion failed"),
    ("int main(int count, char **words) { assert(count == 1 && words[0] != NULL && words[count] == NULL); }", ""),
    ("int main(int count, char **words) { words[0][0]++; assert(words[0][0] == 'q'); end(begin(add)); begin(add); }", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), ENDS)
def test_how_a_program_ends(text, kind, model):
    report = model(text)
    assert report.kind == kind, report.message
    assert report.verdict is (Verdict.VIOLATION if kind else Verdict.OK)


BEFORE_MAIN = """
static int *table;
__attribute__((constructor)) static void early(void) {
    table = malloc(2 * sizeof *table);
    table[0] = 7;
    pthread_mutex_lock(&guard);
    atomic_store(&x, 1);
    pthread_mutex_unlock(&guard);
}
static void *change(void *p) { LOCK; table[0]++; UNLOCK; return p; }
int main(void) {
    pthread_t one = begin(change), two = begin(change);
    end(one), end(two);
    assert(x == 1 && table[0] == 9);
    assert(table[INDEX] != 0);
}
"""


@pytest.mark.parametrize(
    ("lock", "index", "kind"),
    [(True, "0", ""), (False, "0", "data race"), (True, "1", "uninitialised read"), (True, "2", "out of bounds")],
)
def test_what_runs_before_main(lock, index, kind, model):
    text = BEFORE_MAIN.replace("UNLOCK", "pthread_mutex_unlock(&guard)" if lock else "(void)0")
    text = text.replace("LOCK", "pthread_mutex_lock(&guard)" if lock else "(void)0").replace("INDEX", index)
    assert model(text).kind == kind


THREAD_BEFORE_MAIN = """
static pthread_t early;
static int order[2], count;
__attribute__((constructor(202))) static void second(void) { order[count++] = 2; early = begin(add_guarded); }
__attribute__((constructor(201))) static void first(void) { order[count++] = 1; }
int main(void) { assert(order[0] == 1 && order[1] == 2); WORK; end(early); assert(plain == 2); }
"""


@pytest.mark.parametrize(("work", "kind"), [("add_guarded(NULL)", ""), ("plain++", "data race")])
def test_a_constructor_may_begin_a_thread(work, kind, model, tmp_path):
    report = model(THREAD_BEFORE_MAIN.replace("WORK", work))
    assert report.kind == kind
    assert not kind or replay(tmp_path / "program.c", report.token).kind == kind


def test_a_constructor_of_a_client_may_not_begin_a_thread(model):
    with pytest.raises(Exception, match="pthread_create in a constructor of a client"):
        model(
            '#include "lockfree_model.h"\n__attribute__((constructor)) static void early(void) { begin(add); }\n'
            "static void a(void) {} LF_MODEL_CLIENT(client, .threads = {a});"
        )


def test_a_constructor_that_fails_is_said(model):
    with pytest.raises(Exception, match=r"constructor failed: bad free.*program\.c"):
        model("__attribute__((constructor)) static void early(void) { free(&plain); } int main(void) {}")


OWN_NAMES = """
#include <stdatomic.h>
typedef unsigned long pthread_t;
int pthread_create(pthread_t *, const void *, void *(*)(void *), void *);
int pthread_join(pthread_t, void **);
static atomic_int R, X, total, time = 3;
int malloc_count;
int random(void) { return time; }
void usleep(void) { total++; }
int sched_yield(int by) { total += by; return total; }
static void *free_all(void *p) { R++; X++; return p; }
int main(void) {
    pthread_t t;
    pthread_create(&t, 0, free_all, 0);
    usleep();
    pthread_join(t, 0);
    return !(sched_yield(RESULT) == 5 && random() == 3 && R == 1 && X == 1);
}
"""


@pytest.mark.parametrize(("result", "kind"), [("4", ""), ("5", "exit status")])
def test_functions_of_its_own_that_are_called_like_others(result, kind, model):
    assert model(OWN_NAMES.replace("RESULT", result), includes="").kind == kind


OWN_MEMORY = """
#include <stdio.h>
static char memory[64];
static int used;
void *malloc(unsigned long bytes) { void *at = memory + used; used += (int)bytes; return used > 64 ? 0 : at; }
void free(void *at) { (void)at; }
int main(void) {
    int *one = malloc(sizeof *one);
    *one = RESULT;
    printf("%d\\n", *one);
    free(one);
    return *one != 7;
}
"""


@pytest.mark.parametrize(("result", "kind"), [("7", ""), ("8", "exit status")])
def test_the_c_library_does_not_call_a_malloc_of_the_program(result, kind, model):
    assert model(OWN_MEMORY.replace("RESULT", result), includes="").kind == kind


@pytest.mark.parametrize(("work", "kind"), [("add_guarded", ""), ("add_plainly", "data race")])
def test_several_files_are_one_program(work, kind, tmp_path):
    (tmp_path / "main.c").write_text(
        "#include <pthread.h>\nextern int shared;\nvoid *work(void *);\nint main(void) { pthread_t t[2];\n"
        "for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, work, 0);\n"
        "for (int i = 0; i < 2; i++) pthread_join(t[i], 0);\nreturn shared != 2; }"
    )
    (tmp_path / "work.c").write_text(
        f"{INCLUDES}int shared;\nvoid *work(void *p) {{ {work}(p); return shared = plain, p; }}"
    )
    if not kind:
        (tmp_path / "work.c").write_text(
            f"{INCLUDES}int shared;\nvoid *work(void *p) {{ pthread_mutex_lock(&guard); shared++; pthread_mutex_unlock(&guard); return p; }}"
        )
    files = [tmp_path / "main.c", tmp_path / "work.c"]
    [report] = check(files)
    assert report.kind == kind
    if kind:
        assert "work.c" in report.message
        assert replay(files, report.token).kind == kind


NESTED = """
static void *leaf(void *p) { LOCK; plain++; UNLOCK; return p; }
static void *middle(void *p) { pthread_t one = begin(leaf), two = begin(leaf); end(one), end(two); return p; }
int main(void) { pthread_t one = begin(middle), two = begin(middle); end(one), end(two); assert(plain == 4); }
"""


@pytest.mark.parametrize("locked", [True, False])
def test_threads_that_create_threads(locked, model, tmp_path):
    text = NESTED.replace("UNLOCK", "pthread_mutex_unlock(&guard)" if locked else "(void)0")
    report = model(text.replace("LOCK", "pthread_mutex_lock(&guard)" if locked else "(void)0"))
    if locked:
        assert report.verdict is Verdict.OK
        assert report.complete
        assert report.executions == 24  # the orders in which four threads have the lock
    else:
        assert report.kind == "data race"
        assert re.search("--[a-c]+$", report.token), "a token says who created whom"
        assert replay(tmp_path / "program.c", report.token).kind == "data race"


MANY = """
static void *mine(void *p) { int *cell = p; *cell += 1; RACE; return p; }
int main(void) {
    pthread_t t[COUNT];
    int cells[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) pthread_create(&t[i], NULL, mine, &cells[i]);
    for (int i = 0; i < COUNT; i++) end(t[i]);
    for (int i = 0; i < COUNT; i++) assert(cells[i] == 1);
}
"""


def many(count, race="(void)0"):
    return MANY.replace("COUNT", str(count)).replace("RACE", race)


def test_many_threads(model, tmp_path):
    report = model(many(30))
    assert (report.verdict, report.complete, report.executions) == (Verdict.OK, True, 1)
    report = model(many(20, "if (cell[0] == 1) plain = 1"))
    assert report.kind == "data race"
    assert replay(tmp_path / "program.c", report.token).kind == "data race"
    report = model(many(31))
    assert report.verdict is Verdict.UNUSABLE
    assert "more than 31 threads" in report.message


def test_a_client_of_many_threads(model):
    threads = ", ".join(["t"] * 16)
    text = "static void t(void) {{ lf_model_assert(lf_model_thread() {}); }}\nLF_MODEL_CLIENT(c, .threads = {{{}}});\n"
    assert model('#include "lockfree_model.h"\n' + text.format("<= 16", threads)).verdict is Verdict.OK
    assert model('#include "lockfree_model.h"\n' + text.format("< 16", threads)).kind == "assertion failed"


KEYS = """
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void give(void *value) { pthread_mutex_lock(&guard); plain += *(int *)value; pthread_mutex_unlock(&guard); free(value); }
static void make(void) { pthread_key_create(&key, DESTRUCTOR); }
static void *use(void *p) {
    pthread_once(&once, make);
    assert(pthread_getspecific(key) == NULL);
    int *value = malloc(sizeof *value);
    *value = (int)(long)p;
    pthread_setspecific(key, value);
    atomic_fetch_add(&x, 1);
    assert(*(int *)pthread_getspecific(key) == (int)(long)p);
    if (*value == 2)
        pthread_exit(NULL);
    return NULL;
}
int main(void) {
    pthread_t one, two;
    pthread_create(&one, NULL, use, (void *)1), pthread_create(&two, NULL, use, (void *)2);
    end(one), end(two);
    assert(plain == 3);
}
"""


@pytest.mark.parametrize(("destructor", "kind"), [("give", ""), ("NULL", "assertion failed")])
def test_thread_specific_keys(destructor, kind, model):
    assert model(KEYS.replace("DESTRUCTOR", destructor)).kind == kind


def test_keys_of_c11(model):
    text = """
    static tss_t key;
    static int use(void *p) { assert(tss_get(key) == NULL); tss_set(key, p); x++; return tss_get(key) == p ? 0 : 1; }
    int main(void) {
        thrd_t one, two; int a = 0, b = 0;
        assert(tss_create(&key, NULL) == thrd_success);
        thrd_create(&one, use, &a), thrd_create(&two, use, &b), thrd_join(one, &a), thrd_join(two, &b);
        tss_delete(key);
        return a + b; }"""
    assert model(text).verdict is Verdict.OK


def test_cleanup_handlers(model):
    text = """
    static void more(void *by) { plain += (int)(long)by; }
    static void *work(void *leaves) {
        pthread_cleanup_push(more, (void *)1);
        pthread_cleanup_push(more, (void *)2);
        if (leaves) pthread_exit(NULL);
        pthread_cleanup_pop(1);
        pthread_cleanup_pop(0);
        return NULL; }
    int main(void) {
        pthread_t t;
        pthread_create(&t, NULL, work, &plain), end(t);
        assert(plain == 3);
        pthread_create(&t, NULL, work, NULL), end(t);
        assert(plain == RESULT); }"""
    assert model(text.replace("RESULT", "5")).verdict is Verdict.OK
    assert model(text.replace("RESULT", "6")).kind == "assertion failed"


REQUEUE = """
static atomic_int go, other;
static long futex(atomic_int *at, int what, int value, long wakes, atomic_int *to, int expected) {
    return syscall(SYS_futex, at, what, value, wakes, to, expected);
}
static void *sleeper(void *p) {
    while (!go) futex(&go, FUTEX_WAIT, 0, 0, NULL, 0);
    WAKE_NEXT;
    return p;
}
int main(void) {
    pthread_t one = begin(sleeper), two = begin(sleeper);
    go = 1;
    futex(&go, CALL, 1, INT_MAX, &other, EXPECTED);
    end(one), end(two);
}
"""


@pytest.mark.parametrize(
    ("call", "expected", "wakes", "kind"),
    [
        ("FUTEX_REQUEUE", "0", "futex(&other, FUTEX_WAKE, 1, 0, NULL, 0)", ""),
        ("FUTEX_CMP_REQUEUE", "1", "futex(&other, FUTEX_WAKE, 1, 0, NULL, 0)", ""),
        ("FUTEX_CMP_REQUEUE", "0", "futex(&other, FUTEX_WAKE, 1, 0, NULL, 0)", "lost wake"),
        ("FUTEX_REQUEUE", "0", "futex(&go, FUTEX_WAKE, 1, 0, NULL, 0)", "lost wake"),
        ("FUTEX_REQUEUE", "0", "(void)0", "lost wake"),
    ],
)
def test_sleepers_that_are_moved_to_another_futex(call, expected, wakes, kind, model):
    report = model(REQUEUE.replace("CALL", call).replace("EXPECTED", expected).replace("WAKE_NEXT", wakes))
    assert report.kind in {kind, kind.replace("lost wake", "deadlock")}, report.message
    assert bool(report.kind) == bool(kind)


@pytest.mark.parametrize(("threads", "letter"), [(6, "g"), (7, "h"), (14, "h"), (15, "G"), (30, "G")])
def test_a_runtime_has_room_for_the_threads(threads, letter, model, tmp_path):
    """The smallest that has; the token says which, and is run again with it."""
    text = f"int main(void) {{ for (int i = 0; i < {threads}; i++) begin(add); assert(x == 0); }}"
    report = model(text)
    assert report.kind == "assertion failed", report.message
    assert report.token.startswith(f"main:{letter}")
    assert replay(tmp_path / "program.c", report.token).message == report.message


LATE = """
#include <semaphore.h>
DECLARATION
static atomic_int over;
static void *turns(void *p) {
    while (!atomic_load(&x)) { TAKE(&a); GIVE_BACK(&a); }
    atomic_store_explicit(&over, 1, memory_order_relaxed);
    return p;
}
int main(void) {
    SETUP;
    pthread_t t = begin(turns);
    atomic_store_explicit(&x, 1, memory_order_relaxed);
    if (atomic_load_explicit(&over, ORDER)) assert(TRY(&a) == 0);
    end(t);
}
"""
LOCKS = {
    "mutex": ("static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;", "pthread_mutex_lock", "pthread_mutex_unlock", "(void)0", "pthread_mutex_trylock"),
    "writer": ("static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;", "pthread_rwlock_wrlock", "pthread_rwlock_unlock", "(void)0", "pthread_rwlock_tryrdlock"),
    "reader": ("static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;", "pthread_rwlock_rdlock", "pthread_rwlock_unlock", "(void)0", "pthread_rwlock_trywrlock"),
    "permit": ("static sem_t a;", "sem_wait", "sem_post", "sem_init(&a, 0, 1)", "sem_trywait"),
    "spin lock": ("static pthread_spinlock_t a;", "pthread_spin_lock", "pthread_spin_unlock", "pthread_spin_init(&a, 0)", "pthread_spin_trylock"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOCKS)
def test_who_tries_a_lock_can_find_a_moment_that_is_over(kind, model):
    """A loop takes and gives back a lock without success; the failed try reads that, although it knows that the loop is over."""
    text = LATE
    for word, what in zip(("DECLARATION", "TAKE", "GIVE_BACK", "SETUP", "TRY"), LOCKS[kind], strict=True):
        text = text.replace(word, what)
    exhaustive = Settings(mode="exhaustive")
    assert model(text.replace("ORDER", "memory_order_relaxed"), settings=exhaustive).kind == "assertion failed"
    right = model(text.replace("ORDER", "memory_order_acquire").replace("(&over, 1, memory_order_relaxed)", "(&over, 1, memory_order_release)"), settings=exhaustive)  # fmt: skip
    assert right.verdict is Verdict.OK, (right.message, right.notes)


BACKS_OFF = """
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static void both(pthread_mutex_t *first, pthread_mutex_t *second) {
    for (pthread_mutex_t *had;;) {
        pthread_mutex_lock(first);
        if (TRY) break;
        pthread_mutex_unlock(first);
        BETWEEN;
    }
    plain++;
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
}
static void *one(void *p) { both(&a, &b); return p; }
static void *other(void *p) { both(&b, &a); return p; }
int main(void) { pthread_t t[] = {begin(one), begin(other)}; end(t[0]); end(t[1]); assert(plain == 2); }
"""
SWAPS = "had = first; first = second; second = had"


@pytest.mark.parametrize("between", ["sched_yield()", SWAPS])
def test_who_backs_off_for_a_lock_is_followed_to_the_end(between, model):
    """As std::scoped_lock does in two orders: every execution is seen, and so is the fault of one who does not back off."""
    text = BACKS_OFF.replace("BETWEEN", between)
    tries = "pthread_mutex_trylock(second) == 0"
    report = model(text.replace("TRY", tries), settings=Settings(mode="exhaustive"))
    assert report.verdict is Verdict.OK, (report.message, report.notes)
    assert report.complete
    assert model(text.replace("TRY", "pthread_mutex_lock(second) == 0")).kind == "deadlock"
    assert model(text.replace("TRY", f"{tries} || 1")).kind in {"data race", "misused lock"}


READERS = """
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int a, b;
static void *reader(void *p) { pthread_rwlock_rdlock(&lock); assert(a == b); pthread_rwlock_unlock(&lock); return p; }
static void *writer(void *p) { pthread_rwlock_TAKElock(&lock); a++; b++; pthread_rwlock_unlock(&lock); return p; }
int main(void) { pthread_t t[] = {begin(reader), begin(writer), begin(reader), begin(writer)}; for (int i = 0; i < 4; i++) end(t[i]); assert(a == 2); }
"""


@pytest.mark.parametrize(("take", "kind"), [("wr", ""), ("rd", "data race")])
def test_reader_writer_locks(take, kind, model):
    assert model(READERS.replace("TAKE", take)).kind == kind


STATE = """
#include "lockfree_model.h"
static _Atomic int *memory;
static void look(void) { if (atomic_load(&x) == 2) atomic_store(&x, 5); (void)atomic_load(&x); }
static void use(void) { USE; }
static void other(void) { OTHER; }
static void setup(void) { memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); SETUP; }
static void final(void) { lf_model_assert(FINAL); }
LF_MODEL_CLIENT(c, .setup = setup, .threads = {use, other}, .final = final);
"""


@pytest.mark.parametrize(
    ("use", "other", "final", "kind"),
    [
        ("atomic_store(&x, 1 + rand() % 3); look()", "look()", "1", ""),
        ("srand(5); int one = rand(); srand(5); lf_model_assert(rand() == one)", "rand(); look()", "1", ""),
        ("unsigned seed = 3; atomic_store(&x, rand_r(&seed) % 4); look()", "look()", "1", ""),
        ("atomic_fetch_add(memory, 1)", "atomic_fetch_add(memory, 1)", "*memory == 2", ""),
        ("atomic_fetch_add(memory, 1)", "atomic_fetch_add(memory, 1)", "*memory == 3", "assertion failed"),
        ("memory[1024] = 1", "look()", "1", "out of bounds"),
        ("munmap((void *)memory, 4096)", "atomic_load(memory)", "1", "use after free"),
        ("struct timeval t; gettimeofday(&t, NULL); atomic_store(&x, t.tv_usec & 3); look()", "look()", "1", ""),
        ("atomic_store(&x, (time(NULL) ^ clock()) & 3); look()", "look()", "1", ""),
        ("char c[2]; getrandom(c, 2, 0); atomic_store(&x, c[0] & 3); look()", "look()", "1", ""),
        ("errno = 3; look(); lf_model_assert(errno == 3)", "errno = 4; look(); lf_model_assert(errno == 4)", "1", ""),
    ],
)
def test_the_state_of_the_c_library_is_the_same_in_every_execution(use, other, final, kind, model):
    includes = INCLUDES + "#include <sys/random.h>\n"
    text = STATE.replace("USE", use).replace("OTHER", other).replace("FINAL", final).replace("SETUP", "rand()")
    report = model(text, includes=includes, settings=Settings(mode="exhaustive"))
    assert report.kind == kind, report.message
    assert report.verdict is (Verdict.VIOLATION if kind else Verdict.OK), report.message


def test_files_are_no_memory(model):
    report = model(
        '#include <fcntl.h>\nint main(void) { mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open("/dev/zero", O_RDONLY), 0); }'
    )
    assert report.verdict is Verdict.UNUSABLE
    assert "maps a file" in report.message


WITH_FILE = "#include <fcntl.h>\n#include <unistd.h>\nint main(void) { char c[4]; int file = open(PATH, FLAGS); WHAT; }"


@pytest.mark.parametrize(
    ("path", "flags", "what", "found"),
    [
        ('"/dev/zero"', "O_RDONLY", "if (read(file, c, 4) != 4 || c[0] != 0 || close(file) != 0) _exit(1)", ""),
        ('"/dev/zero"', "O_RDONLY", "close(file); close(file)", "bad descriptor"),
        ('"/dev/null"', "O_WRONLY", "(void)c", "opens /dev/null for writing"),
        ('"/no/such"', "O_RDONLY", "(void)c", "cannot open /no/such"),
        ('"/dev/zero"', "O_RDONLY", 'unlink("/no/such")', "calls unlink: files are not modelled"),
    ],
)
def test_files_are_only_read(path, flags, what, found, model):
    report = model(WITH_FILE.replace("PATH", path).replace("FLAGS", flags).replace("WHAT", what))
    assert found in (report.kind or report.message)
    assert (report.verdict is Verdict.OK) == (not found), report.message


@pytest.mark.parametrize(("size", "kind"), [("16", ""), ("-2", "bad allocation")])
def test_negative_sizes(size, kind, model):
    report = model(f"#include <stdlib.h>\nint main(void) {{ free(malloc({size})); }}")
    assert report.kind == kind, report.message


ANNEX_K = """
#include <assert.h>
#include <string.h>
int memcpy_s(void *, size_t, const void *, size_t);
int memset_s(void *, size_t, int, size_t);
int main(void) {
    int from[3] = {1, 2, 3}, to[4] = {9, 9, 9, 9};
    assert(memcpy_s(to, sizeof to, from, sizeof from) == 0 && to[2] == 3 && to[3] == 9);
    assert(memcpy_s(to, 4, from, 8) != 0 && to[0] == 0 && to[1] == 2);
    assert(memcpy_s(NULL, 4, from, 4) != 0 && memcpy_s(to, sizeof to, to + 1, 8) != 0 && to[3] == 0);
    assert(memset_s(to, 4, 1, 8) != 0 && to[0] == 0x1010101 && to[1] == RIGHT);
}
"""


@pytest.mark.parametrize(("right", "kind"), [("0", ""), ("1", "assertion failed")])
def test_bounded_copies_of_annex_k(right, kind, model):
    report = model(ANNEX_K.replace("RIGHT", right))
    assert report.kind == kind, report.message
