"""Functions of the C library: what they read and write, time-outs, clocks."""

import re
from pathlib import Path

import compilers
import pytest

from lockfree.modelcheck import Settings, Verdict, build, check
from lockfree.modelcheck.runner import run

SOURCE = Path(__file__).with_name("text.c")
RACES = re.findall(r"^RACES\((\w+)", SOURCE.read_text(), re.MULTILINE)
CLIENTS = [f"data_race__{name}" for name in RACES]
CLIENTS += [name for name in re.findall(r"LF_MODEL_CLIENT\((\w+)", SOURCE.read_text()) if not name.endswith("__")]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(SOURCE, tmp_path_factory.mktemp("text") / "text", warn=compilers.warned)


@pytest.mark.parametrize("client", CLIENTS)
def test_what_functions_read_and_write(client, program):
    report = run(program, client, Settings(mode="exhaustive"))
    assert report.kind == ("" if client.startswith("right_") else "data race"), report.message
    assert report.verdict is (Verdict.VIOLATION if report.kind else Verdict.OK)


INCLUDES = """
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static atomic_int x;
static int set;
static struct timespec soon(void) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); t.tv_sec++; return t; }
static void *sets(void *p) { x = 1; return p; }
static void waits_a_while(void) {
    struct timespec t = soon();
    pthread_mutex_lock(&m);
    while (!set)
        pthread_cond_timedwait(&c, &m, &t);
    pthread_mutex_unlock(&m);
}
static void *tells(void *p) {
    pthread_mutex_lock(&m);
    set = 1;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
    return p;
}
"""
TIMED = [
    ("pthread_mutex_lock(&m); e = pthread_cond_timedwait(&c, &m, &t) != ETIMEDOUT", "OK", ""),
    ("pthread_mutex_lock(&m); e = pthread_mutex_timedlock(&m, &t) != ETIMEDOUT", "OK", ""),
    ("sem_t s; sem_init(&s, 0, 0); e = sem_timedwait(&s, &t) == 0 || errno != ETIMEDOUT", "OK", ""),
    ("pthread_create(&p, NULL, tells, NULL); waits_a_while(); pthread_join(p, NULL)", "OK", ""),
    # only a second time-out would end it: nothing is known
    ("pthread_mutex_lock(&m); for (int i = 0; i < 2; i++) pthread_cond_timedwait(&c, &m, &t)", "UNKNOWN", ""),
    ("pthread_mutex_lock(&m); pthread_cond_timedwait(&c, &m, &t); pthread_cond_wait(&c, &m)", "VIOLATION", "lost wake"),
    # clocks
    ("while (soon().tv_sec < t.tv_sec + 3) usleep(10)", "OK", ""),
    ("while (soon().tv_sec < t.tv_sec + 3) ;", "OK", ""),
    ("pthread_create(&p, NULL, sets, NULL); while (!x && soon().tv_sec < t.tv_sec + 3) ; pthread_join(p, NULL)", "OK", ""),
    ("sleep(3); e = soon().tv_sec < t.tv_sec + 3", "OK", ""),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "verdict", "kind"), TIMED)
def test_time_passes_in_programs(statements, verdict, kind, tmp_path):
    (tmp_path / "program.c").write_text(
        f"{INCLUDES}int main(void) {{ pthread_t p; struct timespec t = soon(); int e = 0; (void)p; {statements}; return e; }}"
    )
    [report] = check(tmp_path / "program.c", settings=Settings(mode="exhaustive", seconds=2))
    assert (report.verdict.name, report.kind) == (verdict, kind), report.message


OF_ALL_THREADS = {
    "strtok": ("strtok_rest", 'char text[] = "a b"; assert(strtok(text, " ") == text && *strtok(NULL, " ") == 98);'),
    "gmtime": ("broken_down_time", "time_t t = 0; assert(gmtime(&t)->tm_year == 70);"),
    "localtime": ("broken_down_time", "time_t t = 86400 * 40; assert(localtime(&t)->tm_year == 70);"),
    "ctime": ("broken_down_time", 'time_t t = 86400 * 40; assert(strstr(ctime(&t), "1970"));'),
    "asctime": (
        "text_of_time",
        'struct tm t = {.tm_mday = 3, .tm_year = 71}; assert(!strcmp(asctime(&t), "Sun Jan  3 00:00:00 1971\\n"));',
    ),
}


@pytest.mark.parametrize("name", OF_ALL_THREADS)
@pytest.mark.parametrize("locked", [False, True])
def test_what_the_library_keeps_for_all_threads_races(tmp_path, name, locked):
    place, body = OF_ALL_THREADS[name]
    begin, end = ("pthread_mutex_lock(&m);", "pthread_mutex_unlock(&m);") if locked else ("", "")
    path = tmp_path / "client.c"
    path.write_text(f"""{INCLUDES}
        #include <assert.h>
        #include <string.h>
        #include "lockfree_model.h"
        static void t(void) {{ {begin} {body} {end} }}
        LF_MODEL_CLIENT(c, .threads = {{t, t}});""")
    [report] = check(path, settings=Settings(mode="exhaustive"))
    if locked:
        assert report.verdict is Verdict.OK, report.message
    else:
        assert report.kind == "data race"
        assert f"write at {place}" in report.message


def test_a_function_that_nobody_declared_has_the_type_that_the_compiler_knows(tmp_path):
    path = tmp_path / "client.c"
    path.write_text('int main(void) { int *p = malloc(4); *p = 1; return strlen(strdup("a")) != *p; }')
    [report] = check(path, flags=["-Wno-error=implicit-function-declaration"])
    assert report.verdict is Verdict.OK, report.message
