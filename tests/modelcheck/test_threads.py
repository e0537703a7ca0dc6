"""The locks and threads of POSIX and C11, and programs with a main of their own."""

import random
import re
from pathlib import Path

import compilers
import pytest

from lockfree.modelcheck import Settings, Verdict, build, check, replay
from lockfree.modelcheck.runner import run

SOURCE = Path(__file__).with_name("threads.c")
CLIENTS = re.findall(r"LF_MODEL_CLIENT\((\w+)", SOURCE.read_text())


def expected(client):
    return "" if client.startswith("right_") else client.partition("__")[0].replace("_", " ")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(SOURCE, tmp_path_factory.mktemp("threads") / "threads", warn=compilers.warned)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_execution(client, program):
    report = run(program, client, Settings(mode="exhaustive"))
    assert report.kind == expected(client), report.message
    assert report.verdict is (Verdict.VIOLATION if expected(client) else Verdict.OK)
    assert report.complete
    if expected(client):
        assert "T1" in report.trace.render()
        again = replay(SOURCE, report.token)
        assert (again.kind, again.trace.render()) == (report.kind, report.trace.render())


@pytest.mark.parametrize("mode", ["random", "pct", "bounded"])
def test_every_search_agrees(mode, program):
    for client in CLIENTS:
        report = run(program, client, Settings(mode=mode, executions=20_000, seconds=20, preemptions=2))
        missed = {""} if mode == "bounded" else set()  # beyond two preemptions, or 20,000 schedules
        assert report.kind in {expected(client)} | missed, (client, report.message)


HEAD = """
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "lockfree_model.h"
static pthread_mutex_t m[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t s;
static int x[2], ready;
static atomic_int a;
static void setup(void) { sem_init(&s, 0, 1); }
"""


def random_section(rng, thread, number):
    see = f'lf_model_observe("T{thread}.{number}", (uint64_t)%s);'
    look, put = see % f"x[{number % 2}]", f"x[{number % 2}] = {10 * thread + number};"
    which = f"&m[{number % 2}]"
    return rng.choice(
        [
            f"pthread_mutex_lock({which}); {look} {put} pthread_mutex_unlock({which});",
            f"if (pthread_mutex_trylock({which}) == 0) {{ {put} pthread_mutex_unlock({which}); }} else {{ {see % 99} }}",
            f"pthread_mutex_lock({which}); {put} atomic_store_explicit(&a, {thread}, memory_order_relaxed); pthread_mutex_unlock({which});",
            see % "atomic_load_explicit(&a, memory_order_relaxed)",
            "sem_wait(&s); atomic_fetch_add(&a, 1); sem_post(&s);",
            f"{see % '(sem_trywait(&s) == 0)'}",
            "sem_post(&s);",
            f"pthread_rwlock_rdlock(&rw); {see % 'ready'} pthread_rwlock_unlock(&rw);",
            "pthread_rwlock_wrlock(&rw); ready++; pthread_rwlock_unlock(&rw);",
            "pthread_mutex_lock(&m[0]); pthread_mutex_lock(&m[1]); pthread_mutex_unlock(&m[1]); pthread_mutex_unlock(&m[0]);",
            "pthread_mutex_lock(&m[1]); pthread_mutex_lock(&m[0]); pthread_mutex_unlock(&m[0]); pthread_mutex_unlock(&m[1]);",
            "pthread_mutex_lock(&m[0]); while (x[0] == 0) pthread_cond_wait(&c, &m[0]); pthread_mutex_unlock(&m[0]);",
            "pthread_mutex_lock(&m[0]); x[0] = 1; pthread_cond_signal(&c); pthread_mutex_unlock(&m[0]);",
            "pthread_mutex_lock(&m[0]); x[0] = 1; pthread_cond_broadcast(&c); pthread_mutex_unlock(&m[0]);",
        ]
    )


def random_client(rng, name):
    count = rng.choice([2, 2, 3])
    bodies = [
        " ".join(random_section(rng, t, n) for n in range(rng.choice([1, 2]) if count == 2 else 1))
        for t in range(1, count + 1)
    ]
    threads = "".join(f"static void {name}_{t}(void) {{ {body} }}\n" for t, body in enumerate(bodies))
    return f"{threads}LF_MODEL_CLIENT({name}, .setup = setup, .threads = {{{', '.join(f'{name}_{t}' for t in range(count))}}});\n"


def kinds_and_outcomes(program, client, **settings):
    report = run(program, client, Settings(outcomes=True, seconds=60, **settings))
    return (report.kind, report.outcomes if not report.kind else set()), report


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak), pytest.param(3, marks=pytest.mark.soak)])
def test_random_programs_graph_by_graph_and_schedule_by_schedule(seed, tmp_path):
    """The two systematic searches share nothing but the runtime's steps."""
    rng = random.Random(seed)
    names = [f"p{n}" for n in range(60)]
    (tmp_path / "random.c").write_text(HEAD + "".join(random_client(rng, name) for name in names))
    program = build(tmp_path / "random.c", tmp_path / "random")
    compared = 0
    for name in names:
        graphs, report = kinds_and_outcomes(program, name, mode="exhaustive")
        assert report.complete, name
        schedules, whole = kinds_and_outcomes(program, name, mode="bounded", preemptions=100, executions=100_000)
        if graphs[0] or whole.kind or whole.complete:
            compared += 1
            assert graphs[0] == schedules[0] or {graphs[0], schedules[0]} == {"deadlock", "lost wake"}, name
        if whole.complete:
            assert graphs == schedules, name
        else:
            assert schedules[1] <= graphs[1], name
    assert compared > 40


PROGRAM = """
#include <assert.h>
#include <pthread.h>
static int balance;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static void *deposit(void *amount) {
    LOCK;
    balance += *(int *)amount;
    UNLOCK;
    return NULL;
}
int main(void) {
    pthread_t threads[2];
    int amounts[2] = {1, 2};
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, deposit, &amounts[i]);
    for (int i = 0; i < JOINED; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_lock(&guard);
    int seen = balance;
    pthread_mutex_unlock(&guard);
    assert(seen == 3);
    return STATUS;
}
"""


def program_with(tmp_path, **values):
    text = PROGRAM
    for name, value in {
        "UNLOCK": "pthread_mutex_unlock(&guard)", "LOCK": "pthread_mutex_lock(&guard)", "JOINED": "2", "STATUS": "0"
    }.items():  # fmt: skip
        text = text.replace(name, values.get(name, value))
    (tmp_path / "program.c").write_text(text)
    return tmp_path / "program.c"


def test_a_program_is_checked_as_it_is(tmp_path):
    [report] = check(program_with(tmp_path))
    assert (report.client, report.verdict, report.complete) == ("main", Verdict.OK, True)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"LOCK": "(void)0", "UNLOCK": "(void)0"}, "data race"),
        ({"UNLOCK": "(void)0"}, "deadlock"),
        ({"JOINED": "1"}, "assertion failed"),
        ({"STATUS": "4"}, "exit status"),
    ],
)
def test_a_wrong_program_is_found(tmp_path, change, kind):
    path = program_with(tmp_path, **change)
    [report] = check(path)
    assert (report.verdict, report.kind) == (Verdict.VIOLATION, kind)
    assert "lf_model_program" not in report.trace.render() + report.message
    assert replay(path, report.token).kind == kind


def test_in_a_file_with_clients_main_is_left_alone(tmp_path):
    path = program_with(tmp_path)
    path.write_text(
        path.read_text() + '#include "lockfree_model.h"\nstatic void t(void) {}\nLF_MODEL_CLIENT(c, .threads = {t});\n'
    )
    assert [report.client for report in check(path)] == ["c"]


def test_who_waits_for_what_is_said(program):
    report = run(program, "deadlock__lock_order", Settings(mode="exhaustive"))
    assert re.search(r"T1 waits to lock n, T2 waits to lock m", report.message)
    assert re.search(r"lock m: T1 has it", report.trace.render())


def test_how_many_more_wait_is_said(tmp_path):
    (tmp_path / "many.c").write_text(
        "#include <pthread.h>\nstatic pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;\n"
        "static void *locks(void *p) { pthread_mutex_lock(&held); return p; }\n"
        "int main(void) { pthread_t t[20]; pthread_mutex_lock(&held);\n"
        "for (int i = 0; i < 20; i++) pthread_create(&t[i], 0, locks, 0);\nreturn pthread_join(t[0], 0); }\n"
    )
    [report] = check(tmp_path / "many.c")
    named = re.findall(r"T\d+ waits to (?:lock held|join T2)", report.message)
    more = re.search(r", (\d+) more wait, and no thread is left to end it$", report.message)
    assert len(named) + int(more[1]) == 21, report.message
