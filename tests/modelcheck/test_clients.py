"""What a client may do besides atomic accesses, and what is said of one that cannot be checked."""

import pytest

from lockfree.modelcheck import Report, Settings, Verdict, check, replay

HEAD = """
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "lockfree_model.h"
"""


@pytest.fixture
def model(tmp_path):
    def run(body: str, **settings: object) -> Report:
        path = tmp_path / "client.c"
        path.write_text(HEAD + body)
        [report] = check(path, settings=Settings(**{"mode": "exhaustive", **settings}))
        if report.verdict is Verdict.VIOLATION:
            again = replay(path, report.token)
            assert (again.verdict, again.kind, again.message) == (report.verdict, report.kind, report.message)
            assert again.trace is not None
            assert again.trace.render()
        return report

    return run


RACES = {
    "a block copy": """
        struct record { char bytes[24]; };
        static struct record shared, copy;
        static atomic_int ready;
        static void a(void) {
            struct record mine = {{1}};
            memcpy(&shared, &mine, sizeof shared);
            atomic_store_explicit(&ready, 1, memory_order_relaxed);
        }
        static void b(void) {
            if (atomic_load_explicit(&ready, memory_order_relaxed))
                memcpy(&copy, &shared, sizeof copy);
        }""",
    "a read whose value is not used": """
        static int data;
        static void a(void) { data = 1; }
        static void b(void) { int unused = data; (void)unused; }""",
    "a call of the C library whose value is not used": """
        static char text[4];
        static void a(void) { text[0] = 1; }
        static void b(void) { size_t unused = strlen(text); (void)unused; }""",
    "a call that only reads, whose value is not used": """
        static int data;
        __attribute__((noinline)) static int looks(void) { return data; }
        static void a(void) { data = 1; }
        static void b(void) { (void)looks(); }""",
    "reads whose sum is not used": """
        static int data[3];
        static void a(void) { data[1] = 1; }
        static void b(void) { int unused = data[0] + data[1] + data[2]; (void)unused; }""",
    "writes of what nobody reads": """
        static int statistic;
        static void a(void) { statistic = 1; }
        static void b(void) { statistic = 2; }""",
    "a thread-local variable of another thread": """
        static _Thread_local int mine = 3;
        static _Atomic(int *) shared;
        static atomic_int done;
        static void a(void) { /* it lives until b has read */
            mine = 4;
            atomic_store_explicit(&shared, &mine, memory_order_relaxed);
            while (!atomic_load_explicit(&done, memory_order_relaxed))
                ;
        }
        static void b(void) {
            int *theirs = atomic_load(&shared);
            mine = 9;
            if (theirs)
                lf_model_assert(*theirs == 4);
            atomic_store_explicit(&done, 1, memory_order_relaxed);
        }""",
    "a variable on a stack that its own thread writes": """
        static _Atomic(int *) shared;
        static atomic_int done;
        static void a(void) {
            int mine = 1;
            atomic_store_explicit(&shared, &mine, memory_order_release);
            while (!atomic_load_explicit(&done, memory_order_relaxed))
                ;
            mine = 2;
        }
        static void b(void) {
            int *theirs = atomic_load_explicit(&shared, memory_order_acquire);
            if (theirs)
                lf_model_assert(*theirs == 1);
            atomic_store_explicit(&done, 1, memory_order_release);
        }""",
}


@pytest.mark.parametrize("what", RACES)
def test_races(what, model):
    report = model(RACES[what] + "LF_MODEL_CLIENT(c, .threads = {a, b});")
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, "data race")


def test_a_variable_on_a_stack_that_is_waited_for(model):
    body = RACES["a variable on a stack that its own thread writes"].replace("&done, memory_order_relaxed", "&done, 2")
    assert model(body + "LF_MODEL_CLIENT(c, .threads = {a, b});").verdict is Verdict.OK


def test_places_on_a_stack_are_used_again_by_other_functions(model):
    report = model("""
        static _Atomic(int *) shared;
        static __attribute__((noinline)) void publish(void) {
            int mine = 1;
            atomic_store_explicit(&shared, &mine, memory_order_release);
        }
        static __attribute__((noinline)) void another(void) {
            volatile int other[8];
            for (int i = 0; i < 8; i++)
                other[i] = i;
        }
        static void a(void) {
            publish();
            another();
        }
        static void b(void) {
            int *theirs = atomic_load_explicit(&shared, memory_order_acquire);
            lf_model_assume(theirs != NULL);
            (void)*theirs;
        }
        LF_MODEL_CLIENT(c, .threads = {b, a});""")
    assert report.kind != "data race" or "another" not in report.message


def test_thread_local_variables_of_a_client_with_walls_around_it(tmp_path):
    """The threads whose thread pointers the fibers borrow are made before the walls are."""
    path = tmp_path / "client.c"
    path.write_text(
        HEAD
        + """
        static _Thread_local int mine = 3;
        static atomic_int sum;
        static void work(void) { mine++; atomic_fetch_add(&sum, mine); }
        static void final(void) { lf_model_assert(sum == 8 && mine == 3); }
        LF_MODEL_CLIENT(c, .threads = {work, work}, .final = final);"""
    )
    [report] = check(path, settings=Settings(mode="exhaustive"), enclose=lambda: None)
    assert report.verdict is Verdict.OK, report.message


MCS = """
    struct node { _Atomic(struct node *) next; atomic_int locked; };
    static _Atomic(struct node *) tail;
    static _Thread_local struct node mine;
    static _Thread_local int sections = 5;
    static int counter;
    static void lock(void) {
        atomic_store_explicit(&mine.next, NULL, memory_order_relaxed);
        atomic_store_explicit(&mine.locked, 1, memory_order_relaxed);
        struct node *before = atomic_exchange_explicit(&tail, &mine, memory_order_acq_rel);
        if (before == NULL)
            return;
        atomic_store_explicit(&before->next, &mine, memory_order_release);
        while (atomic_load_explicit(&mine.locked, memory_order_acquire))
            ;
    }
    static void unlock(void) {
        struct node *next = atomic_load_explicit(&mine.next, memory_order_acquire), *last = &mine;
        if (next == NULL && atomic_compare_exchange_strong(&tail, &last, NULL))
            return;
        while ((next = atomic_load_explicit(&mine.next, memory_order_acquire)) == NULL)
            ;
        atomic_store_explicit(&next->locked, 0, memory_order_release);
    }
    static void section(void) {
        lock();
        counter++;
        unlock();
        lf_model_assert(++sections == 6);
    }
    static void all(void) { lf_model_assert(counter == 3 && sections == 5); }
    LF_MODEL_CLIENT(c, .threads = {section, section, section}, .final = all);
"""


def test_thread_local_variables_have_an_address_for_each_thread(model):
    assert model(MCS).verdict is Verdict.OK
    weak = MCS.replace("while (atomic_load_explicit(&mine.locked, memory_order_acquire", "while (atomic_load_explicit(&mine.locked, 0")  # fmt: skip
    report = model(weak)
    assert report.kind == "data race"
    assert report.trace is not None
    assert "mine of T" in report.trace.render()


def test_functions_that_acquire_are_seen_by_the_compiler(model):
    """gcc 12 would keep `counter` in a register across the calls."""
    report = model("""
        static int counter;
        static atomic_int locked;
        static __attribute__((noinline)) void lock(void) { while (atomic_exchange(&locked, 1)) ; }
        static __attribute__((noinline)) void unlock(void) { atomic_store(&locked, 0); }
        static void twice(void) { lock(); counter++; unlock(); lock(); counter++; unlock(); }
        static void all(void) { lf_model_assert(counter == 4); }
        LF_MODEL_CLIENT(c, .threads = {twice, twice}, .final = all);""")
    assert report.verdict is Verdict.OK


RAW_FUTEX = """
    #include <linux/futex.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    static uint32_t word;
    static void sleeper(void) {
        while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
            syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
    static void waker(void) {
        __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    LF_MODEL_CLIENT(c, .threads = {sleeper, waker});
"""


def test_the_system_call_of_the_futex(model):
    assert model(RAW_FUTEX).verdict is Verdict.OK
    assert model(RAW_FUTEX.replace("syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE", "(void)(0")).kind == "lost wake"


@pytest.mark.parametrize(
    ("declaration", "call", "name"),
    [
        ("#include <pthread.h>", "pthread_cancel(pthread_self())", "pthread_cancel"),
        ("#include <signal.h>\n#include <pthread.h>", "pthread_kill(pthread_self(), SIGTERM)", "pthread_kill"),
        ("#include <unistd.h>", "fork()", "fork"),
        ("#include <semaphore.h>", 'sem_open("/name", 0)', "sem_open"),
        ("#include <unistd.h>\n#include <sys/syscall.h>", "syscall(SYS_getuid)", "the system call"),
    ],
)
def test_what_would_block_the_checker_is_named(declaration, call, name, model):
    report = model(f"{declaration}\nstatic void t(void) {{ {call}; }}\nLF_MODEL_CLIENT(c, .threads = {{t, t}});")
    assert report.verdict is Verdict.UNUSABLE
    assert name in report.message
    assert "client.c:" in report.message


@pytest.mark.parametrize(("call", "kind"), [("aligned_alloc(32, 64)", ""), ("aligned_alloc(24, 48)", "bad alignment")])
def test_alignments_are_powers_of_two(call, kind, model):
    report = model(f"static void t(void) {{ free({call}); }}\nLF_MODEL_CLIENT(c, .threads = {{t}});")
    assert report.kind == kind


def test_posix_memalign_refuses_an_alignment(model):
    body = "void *p = NULL; lf_model_assert(posix_memalign(&p, 24, 8) != 0 && p == NULL);"
    assert model(f"static void t(void) {{ {body} }}\nLF_MODEL_CLIENT(c, .threads = {{t}});").verdict is Verdict.OK


def test_sleeping_is_a_pause(model):
    report = model("""
        #include <sched.h>
        #include <unistd.h>
        static atomic_int x;
        static void a(void) { while (!atomic_load(&x)) sched_yield(); }
        static void b(void) { usleep(10); atomic_store(&x, 1); }
        LF_MODEL_CLIENT(c, .threads = {a, b});""")
    assert report.verdict is Verdict.OK


def test_more_of_the_heap(model):
    report = model("""
        static void t(void) {
            int *p = malloc(4), *q;
            *p = 5;
            p = realloc(p, 400);
            lf_model_assert(p[0] == 5);
            p[99] = 1;
            char *s = strdup("abc"), *n = strndup("abcd", 2);
            lf_model_assert(strcmp(s, "abc") == 0 && strcmp(n, "ab") == 0);
            lf_model_assert(posix_memalign((void **)&q, 64, 64) == 0 && (uintptr_t)q % 64 == 0);
            free(q), free(s), free(n), free(p);
        }
        LF_MODEL_CLIENT(c, .threads = {t, t});""")
    assert report.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("use", "kind"),
    [
        ("int *p = malloc(4); *p = 1; p = realloc(p, 8); int v = p[1]; (void)v;", "uninitialised read"),
        ("int *p = malloc(4), *q = p; *p = 1; p = realloc(p, 8); int v = *q; (void)v;", "use after free"),
        ("struct { char c[2000]; } *p = malloc(2 * sizeof *p); p[2].c[0] = 1;", "out of bounds"),
        ("volatile int *p = NULL; *p = 1;", "crash"),
    ],
)
def test_misuse_of_memory(use, kind, model):
    report = model(f"static void t(void) {{ {use} }}\nLF_MODEL_CLIENT(c, .threads = {{t}});")
    assert report.kind == kind
    assert "client.c:" in report.message


def test_deep_recursion(model):
    body = """
        static int down(int n) { volatile char local[1000]; local[0] = 1; return n > 0 ? down(n - 1) + local[0] : 0; }
        static void t(void) { down(DEPTH); }
        LF_MODEL_CLIENT(c, .threads = {t});"""
    assert model(body.replace("DEPTH", "2000")).verdict is Verdict.OK
    assert "exhausted its stack" in model(body.replace("DEPTH", "2000000")).message


def test_setup_and_final_are_checked_too(model):
    thread = "static char *p;\nstatic void t(void) { p = malloc(8); *p = 1; free(p); }\n"
    report = model(
        thread + "static void f(void) { lf_model_assert(*p); }\nLF_MODEL_CLIENT(c, .threads = {t}, .final = f);"
    )
    assert report.kind == "use after free"
    setup = "static void s(void) { p = malloc(8); p[8] = 1; }\nLF_MODEL_CLIENT(c, .threads = {t}, .setup = s);"
    report = model(thread + setup)
    assert report.verdict is Verdict.UNUSABLE
    assert "out of bounds" in report.message


def test_calls_of_setup_and_final_are_part_of_the_history(model):
    body = """
        static void s(void) { lf_model_call(LF_MODEL_PUT, 7); lf_model_return(0); }
        static void t(void) { lf_model_call(LF_MODEL_GET, 0); lf_model_return(7); }
        static void f(void) { lf_model_call(LF_MODEL_GET, 0); lf_model_return(RESULT); }
        LF_MODEL_CLIENT(c, .setup = s, .threads = {t}, .final = f, .spec = &lf_model_fifo);"""
    assert model(body.replace("RESULT", "LF_MODEL_EMPTY")).verdict is Verdict.OK
    assert model(body.replace("RESULT", "7")).kind == "not linearizable"


def test_a_bounded_queue_lies(model):
    """What found the queue full or empty holds nothing that could explain the other's answer."""
    report = model("""
        static void a(void) { for (int i = 0; i < 2; i++) { lf_model_call(LF_MODEL_PUT, 1); lf_model_return(LF_MODEL_FULL); } }
        static void b(void) { for (int i = 0; i < 2; i++) { lf_model_call(LF_MODEL_GET, 0); lf_model_return(LF_MODEL_EMPTY); } }
        LF_MODEL_CLIENT(c, .threads = {a, b}, .spec = &lf_model_fifo, .capacity = 1);""")
    assert report.kind == "not linearizable"


def test_a_call_before_the_first_step_of_its_thread(model):
    report = model("""
        static atomic_int x;
        static void a(void) { lf_model_call(LF_MODEL_PUT, 1); lf_model_return(0); atomic_store(&x, 1); }
        static void b(void) {
            while (!atomic_load(&x)) ;
            lf_model_call(LF_MODEL_GET, 0);
            lf_model_return(LF_MODEL_EMPTY);
        }
        LF_MODEL_CLIENT(c, .threads = {a, b}, .spec = &lf_model_fifo);""")
    assert report.kind == "not linearizable"


def test_choices_among_many(model):
    body = """
        static void t(void) { lf_model_observe("v", (uint64_t)lf_model_choose(COUNT)); }
        LF_MODEL_CLIENT(c, .threads = {t});"""
    assert model(body.replace("COUNT", "300"), outcomes=True).outcomes == {f"v={n}" for n in range(300)}
    for wrong in ("0", "-1", "70000"):
        report = model(body.replace("COUNT", wrong))
        assert report.verdict is Verdict.UNUSABLE
        assert f"among {wrong} " in report.message


THREAD = "static atomic_int x;\nstatic void t(void) { x = 1; }\n"


@pytest.mark.parametrize(
    ("client", "words"),
    [
        (f".threads = {{{', '.join(['t'] * 32)}}}", "32 threads"),
        (".threads = {t, NULL, t}", "number 2 is NULL"),
        (".setup = t", "0 threads"),
        (".threads = {t, t}, .may_stop = 1 << 3", ".may_stop is 0x8"),
    ],
)
def test_what_a_client_cannot_say(client, words, model):
    report = model(f"{THREAD}LF_MODEL_CLIENT(c, {client});")
    assert report.verdict is Verdict.UNUSABLE
    assert words in report.message


@pytest.mark.parametrize("mode", ["exhaustive", "random"])
@pytest.mark.parametrize("where", ["t", "f"])
def test_without_a_single_execution_there_is_no_verdict(where, mode, model):
    report = model(
        f"""
        static void {where}(void) {{ lf_model_assume(0); }}
        static void {"tf".replace(where, "")}(void) {{ }}
        LF_MODEL_CLIENT(c, .threads = {{t}}, .final = f);""",
        mode=mode,
        executions=20,
    )
    assert (report.verdict, report.executions) == (Verdict.UNKNOWN, 0)


@pytest.mark.parametrize("mode", ["exhaustive", "bounded", "pct", "random"])
def test_who_is_stopped_is_named_by_the_token(mode, model):
    """The fixture runs the token again."""
    report = model(
        """
        static atomic_int noise, locked;
        static void t(void) {
            noise = 1;
            while (atomic_exchange(&locked, 1)) ;
            locked = 0;
        }
        LF_MODEL_CLIENT(c, .threads = {t, t});""",
        mode=mode,
        threads_stop=True,
    )
    assert report.kind == "not lock-free"


def test_a_death_in_the_middle_is_seen_before_and_after(model):
    """By every search: a thread that asks before it is told so; one that asks after it knows what the declarer did."""
    text = """
        #include "seam.h"
        static int estate;
        static void heir(void) {
            int alive = lf_model_participant_alive(9);
            lf_model_observe("alive", (unsigned)alive);
            if (!alive)
                lf_model_assert(estate == 1);
        }
        static void undertaker(void) {
            estate = 1;
            lf_model_set_participant_dead(9);
        }
        LF_MODEL_CLIENT(c, .threads = {heir, undertaker});
    """
    for mode in ("exhaustive", "bounded", "random", "pct"):
        report = model(text, mode=mode, outcomes=True, executions=200)
        assert report.verdict is Verdict.OK, report.message
        assert report.outcomes == {"alive=0", "alive=1"}
    report = model(
        text.replace(
            "estate = 1;\n            lf_model_set_participant_dead(9);",
            "lf_model_set_participant_dead(9); estate = 1;",
        )
    )
    assert report.kind in {"data race", "assertion failed"}
    assert "declares participant 9 dead" in report.trace.render()


ALTERNATING = """
    static atomic_int i = 1, j = 1;
    static int look(atomic_int *at) { return atomic_load_explicit(at, memory_order_relaxed); }
    static void adds(atomic_int *at) {
        for (int turn = 0; turn < 6; turn++)
            atomic_store_explicit(at, look(&i) + look(&j), memory_order_relaxed);
    }
    static void one(void) { adds(&i); }
    static void other(void) { adds(&j); }
    static void watches(void) { lf_model_assert(look(&i) < MOST && look(&j) < MOST); }
    LF_MODEL_CLIENT(c, .threads = {one, other, watches});
"""


def test_threads_take_turns_in_some_random_executions(model):
    """377 is reached only where the two alternate twelve times."""
    for most, kind in (("377", "assertion failed"), ("378", "")):
        report = model(ALTERNATING.replace("MOST", most), mode="random", executions=20_000, seconds=60)
        assert report.kind == kind


NEIGHBOURS = """
    #include "seam.h"
    static struct { _Alignas(16) uint32_t pad[2]; uint32_t a, b; } s;
    static void wait(uint32_t *p) { while (!__atomic_load_n(p, __ATOMIC_ACQUIRE)) lf_model_futex_wait(p, 0, 0); }
    static void wake(uint32_t *p) { __atomic_store_n(p, 1, __ATOMIC_RELEASE); WAKE(p, 1); }
    static void t1(void) { wait(&s.a); wake(&s.b); }
    static void t2(void) { wake(&s.a); wait(&s.b); }
    LF_MODEL_CLIENT(c, .threads = {t1, t2});
"""


def test_futex_words_beside_each_other(model):
    assert model(NEIGHBOURS.replace("WAKE", "lf_model_futex_wake")).verdict is Verdict.OK
    assert model(NEIGHBOURS.replace("WAKE", "(void)")).kind == "lost wake"  # and its token can be read


def test_what_follows_a_long_spin_is_reached(model):
    text = """
        #include "seam.h"
        static uint32_t word;
        static void sleeper(void) {
            for (int i = 0; i < 1500; i++) {
                if (__atomic_load_n(&word, __ATOMIC_ACQUIRE)) return;
                lf_model_pause();
            }
            while (!__atomic_load_n(&word, __ATOMIC_ACQUIRE)) lf_model_futex_wait(&word, 0, 0);
        }
        static void never_wakes(void) { __atomic_store_n(&word, 1, __ATOMIC_RELEASE); }
        LF_MODEL_CLIENT(c, .threads = {sleeper, never_wakes});"""
    assert model(text).kind == "lost wake"


def test_a_loop_that_waits_for_ever_is_named(model):
    report = model("""
        static atomic_int x;
        static void a(void) { while (!atomic_load(&x)) ; }
        static void b(void) { atomic_store(&x, 1); }
        LF_MODEL_CLIENT(c, .threads = {a, b});""")
    assert report.verdict is Verdict.OK
    assert report.notes == [], "its state comes back: that it waits is certain, and no bound of the search"
    report = model("""
        static atomic_int x;
        static void a(void) { for (volatile int turns = 0; !atomic_load(&x); turns++) ; }
        static void b(void) { atomic_store(&x, 1); }
        LF_MODEL_CLIENT(c, .threads = {a, b}, .spins = 1);""")
    assert report.verdict is Verdict.OK
    assert "loops that wait for ever" in report.bounds()
    assert "client.c:" in report.bounds()


def test_names_of_the_runtime_are_free(model):
    assert (
        model("""
        atomic_int X, R, say; int fail, choose, memory_get, self;
        static void t(void) { atomic_fetch_add(&X, 1); }
        LF_MODEL_CLIENT(c, .threads = {t, t});""").verdict
        is Verdict.OK
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("struct p { int i; char c; } *h = malloc(sizeof *h); h->i = 2; h->c = 1; struct p g = *h; lf_model_assert(g.i == 2);", ""),
        ('char *s = malloc(4); strcpy(s, "abc"); lf_model_assert(s[0] == 97);', ""),
        ("int *p = malloc(4); __atomic_fetch_add(p, 1, 0);", "uninitialised read"),
        ("int *p = malloc(4), zero = 0; __atomic_compare_exchange_n(p, &zero, 1, 0, 0, 0);", "uninitialised read"),
    ],
)  # fmt: skip
def test_what_counts_as_written(model, body, kind):
    assert model(f"static void t(void) {{ {body} }}\nLF_MODEL_CLIENT(c, .threads = {{t}});").kind == kind


def test_a_compare_and_swap_that_fails_does_not_write(model):
    report = model("""
        static int word = 7;
        static void a(void) { int seen = 1; __atomic_compare_exchange_n(&word, &seen, 2, 0, 0, 0); }
        static void b(void) { lf_model_assert(word == 7); }
        LF_MODEL_CLIENT(c, .threads = {a, b});""")
    assert report.verdict is Verdict.OK, report.message


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ('.name = "mine"', "no step function"),
        ('.name = "mine", .step = step, .state_bytes = 1000', "1000 bytes; at most 256"),
        ('.name = "mine", .step = step, .state_bytes = 8', "assertion fails in the specification"),
    ],
)
def test_specifications_that_cannot_be_used(model, spec, said):
    report = model(f"""
        #include <assert.h>
        static int step(void *state, const struct lf_model_op *op, const struct lf_model_moment *m) {{
            assert(op->argument == 2); return 1;
        }}
        static const struct lf_model_spec mine = {{{spec}}};
        static void t(void) {{ lf_model_call(LF_MODEL_PUT, 1); lf_model_return(0); }}
        LF_MODEL_CLIENT(c, .threads = {{t}}, .spec = &mine);""")
    assert report.verdict is Verdict.UNUSABLE
    assert said in report.message


def test_a_futex_with_a_mask_is_refused(model):
    report = model("""
        #include <linux/futex.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        static uint32_t word;
        static void t(void) { syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, 0, 0, 2); }
        LF_MODEL_CLIENT(c, .threads = {t});""")
    assert "mask 0x2" in report.message


def test_flags_that_hide_accesses_are_overruled(tmp_path):
    (tmp_path / "client.c").write_text(
        HEAD
        + "static char x[8], y[8]; static void t(void) { memcpy(x, y, 8); }\nLF_MODEL_CLIENT(c, .threads = {t, t});"
    )
    for flag in ("-D_FORTIFY_SOURCE=2", "-flto"):
        [report] = check(tmp_path / "client.c", flags=[flag])
        assert report.kind == "data race", flag


@pytest.mark.parametrize("gives_way", ["sched_yield()", "lf_model_pause()"])
def test_a_loop_that_only_gives_way_is_endless_at_its_own_line(gives_way, model):
    text = f"""#include <sched.h>
static void spins(void) {{
    for (;;)
        {gives_way};
}}
LF_MODEL_CLIENT(spins, .threads = {{spins}});
"""
    report = model(text, silent=0.2)
    assert (report.kind, report.message.partition("step ")[2]) == ("endless loop", "(client.c:9 spins)")
