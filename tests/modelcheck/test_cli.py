"""The command: exit statuses, what it prints, and files that it cannot use."""

import argparse
import json

import pytest

from lockfree.modelcheck import BuildError, Settings, Verdict, check, cli, replay

HEAD = '#include <stdatomic.h>\n#include "lockfree_model.h"\n'
RACE = HEAD + "static int x;\nstatic void add(void) { x++; }\nLF_MODEL_CLIENT(race, .threads = {add, add});\n"
FINE = HEAD + "static atomic_int x;\nstatic void add(void) { x++; }\nLF_MODEL_CLIENT(fine, .threads = {add, add});\n"


@pytest.fixture
def model(tmp_path, capsys):
    def run(text, *arguments):
        (tmp_path / "client.c").write_text(text)
        parser = argparse.ArgumentParser()
        cli.add_parser(parser.add_subparsers())
        args = parser.parse_args(["model", str(tmp_path / "client.c"), *arguments])
        status = args.run(args)
        return status, *capsys.readouterr()

    return run


def test_nothing_found(model):
    status, out, _ = model(FINE)
    assert status == 0
    assert out.startswith("OK         fine  (every execution: ")


def test_violation_and_its_replay(model):
    status, out, _ = model(RACE)
    assert status == 1
    assert "VIOLATION  race  data race" in out
    token = out.split("--replay ")[1].strip()
    again, text, _ = model(RACE, "--replay", token)
    assert again == 1
    assert "data race" in text


def test_replay_of_a_token_on_a_corrected_file_passes(model):
    _, out, _ = model(RACE)
    token = out.split("--replay race:")[1].strip()
    status, text, _ = model(FINE, "--replay", f"fine:{token}")
    assert status == 0
    assert text.startswith("OK         fine  (one execution")


def test_a_search_cut_short_is_undecided(model):
    text = HEAD + "static atomic_int x;\nstatic void add(void) { for (int i = 0; i < 8; i++) x++; }\n"
    text += "LF_MODEL_CLIENT(many, .threads = {add, add, add});\n"
    status, out, _ = model(text, "--mode", "exhaustive", "--executions", "100")
    assert status == 2
    assert out.startswith("UNKNOWN    many  (part of all executions: ")
    status, out, _ = model(text, "--seconds", "1")
    assert status == 2
    assert out.startswith("OK         many  (sampled: ")
    assert "at random" in out


def test_no_executions_are_no_bound(model):
    text = HEAD + "static atomic_int x;\nstatic void add(void) { x++; }\nstatic void twice(void) { x += 2; }\n"
    text += "LF_MODEL_CLIENT(two, .threads = {add, twice});\n"
    status, out, _ = model(text, "--executions", "0")
    assert (status, "every execution: 2 in" in out) == (0, True)
    status, out, _ = model(text, "--mode", "exhaustive", "--executions", "1")
    assert (status, "part of all executions: 1 in" in out) == (2, True)
    assert model(text, "--executions", "-1")[0] == 3


def test_several_clients_and_json(model):
    status, out, _ = model(
        RACE + FINE.replace(HEAD, "").replace(" x", " y").replace("{ x", "{ y").replace("add", "more"), "--json"
    )
    reports = {r["client"]: r for r in map(json.loads, out.splitlines())}
    assert status == 1
    assert reports["race"]["kind"] == "data race"
    assert reports["fine"]["complete"]


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("int x = ;\n", [], "error: expected expression"),
        ("int x;\n", [], "has no LF_MODEL_CLIENT"),
        (FINE, ["--client", "other"], "no client other"),
        (FINE, ["--replay", "fine:nonsense"], "not a token"),
        (FINE, ["--replay", "other:g1.0.0.1000--"], "no client other"),
        (FINE, ["-D", "main=1", "--cflag=-include", "--cflag=missing.h"], "missing.h"),
    ],
)
def test_unusable(model, text, arguments, said):
    status, out, err = model(text, *arguments)
    assert status == 3
    assert said in out + err


def test_missing_file(capsys):
    parser = argparse.ArgumentParser()
    cli.add_parser(parser.add_subparsers())
    args = parser.parse_args(["model", "nowhere.c"])
    assert args.run(args) == 3
    assert "no such file: nowhere.c" in capsys.readouterr().err


def client(tmp_path, body):
    (tmp_path / "client.c").write_text(HEAD + body)
    return tmp_path / "client.c"


KINDS = {
    "crash": "static int *p; static void t(void) { *(volatile int *)p = 1; } LF_MODEL_CLIENT(c, .threads = {t});",
    "endless loop": "static void t(void) { for (volatile int i = 0;; i++) ; } LF_MODEL_CLIENT(c, .threads = {t});",
    "deadlock": "static atomic_int x; static void t(void) { while (!x) ; } LF_MODEL_CLIENT(c, .threads = {t});",
    "double free": "#include <stdlib.h>\nstatic void t(void) { void *p = malloc(1); free(p); free(p); } LF_MODEL_CLIENT(c, .threads = {t});",
    "bad free": "#include <stdlib.h>\nstatic int x; static void t(void) { free(&x); } LF_MODEL_CLIENT(c, .threads = {t});",
    "uninitialised read": "static void t(void) { int *p = lf_model_allocate(4); if (*p) __builtin_trap(); } LF_MODEL_CLIENT(c, .threads = {t});",
    "assertion failed": "#include <assert.h>\nstatic void t(void) { assert(1 == 2); } LF_MODEL_CLIENT(c, .threads = {t});",
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind, tmp_path):
    [report] = check(client(tmp_path, KINDS[kind]))
    assert report.verdict is Verdict.VIOLATION
    assert report.kind == kind


@pytest.mark.parametrize("silent", [0.2, 0.8])
def test_a_thread_without_a_step_is_given_as_long_as_asked_for(silent, tmp_path):
    [report] = check(client(tmp_path, KINDS["endless loop"]), settings=Settings(silent=silent))
    assert report.kind == "endless loop"
    assert 0.9 * silent < report.seconds < 3 * silent + 0.3  # of CPU time; what repeats it is shorter


def test_setup_that_fails_makes_the_client_unusable(tmp_path):
    body = "static void s(void) { lf_model_assert(0); } static void t(void) {} LF_MODEL_CLIENT(c, .setup = s, .threads = {t});"
    [report] = check(client(tmp_path, body))
    assert report.verdict is Verdict.UNUSABLE
    assert "setup failed" in report.message


def test_memory_is_put_back_between_executions(tmp_path):
    body = """
    static int plain, runs = 7; static atomic_int x, y; static _Thread_local int own = 3;
    static void t(void) { lf_model_assert(own == 3); own++; x++; y++; }
    static void f(void) { lf_model_assert(plain == 0 && runs == 7 && x == 2 && y == 2); plain = 1; runs = 8; }
    LF_MODEL_CLIENT(c, .threads = {t, t}, .final = f);
    """
    for mode in ("exhaustive", "random"):
        [report] = check(client(tmp_path, body), settings=Settings(mode=mode, executions=500))
        assert report.verdict is Verdict.OK, report.message
        assert report.executions > 1


def test_accesses_of_two_widths_to_one_word(tmp_path):
    body = """
    static union { uint64_t all; uint32_t half[2]; } u;
    static void t(void) { __atomic_fetch_add(&u.all, (uint64_t)1 << 32, __ATOMIC_RELAXED); }
    static void s(void) { __atomic_store_n(&u.half[0], 5, __ATOMIC_RELAXED); }
    static void f(void) { lf_model_assert(u.half[0] == 5 && u.half[1] == 1); }
    LF_MODEL_CLIENT(c, .threads = {t, s}, .final = f);
    """
    [report] = check(client(tmp_path, body))
    assert report.verdict is Verdict.OK, report.message
    assert report.complete


def test_sixteen_byte_compare_and_swap(tmp_path):
    body = """
    static unsigned __int128 x;
    static int wins;
    static void t(void) { wins += __sync_bool_compare_and_swap(&x, 0, (unsigned __int128)1 << 100 | 1) ? 0 : 0; }
    static void f(void) { lf_model_assert(x == ((unsigned __int128)1 << 100 | 1)); }
    LF_MODEL_CLIENT(c, .threads = {t}, .final = f);
    """
    [report] = check(client(tmp_path, body))
    assert report.verdict is Verdict.OK, report.message


def test_a_step_bound_is_said(tmp_path):
    body = """
    static atomic_int x;
    static void t(void) { for (int i = 0; i < 50; i++) x++; }
    LF_MODEL_CLIENT(c, .threads = {t});
    """
    [report] = check(client(tmp_path, body), settings=Settings(mode="exhaustive", steps=20))
    assert report.beyond_steps == 1
    assert "cut at the step bound" in report.bounds()


def test_timeouts_only_if_the_client_allows_them(tmp_path):
    body = """
    #include "seam.h"
    static uint32_t word;
    static int last;
    static void t(void) { while (lf_model_futex_wait(&word, 0, 1000) == 0) ; last = 1; }
    static void f(void) { lf_model_assert(last == 1); }
    LF_MODEL_CLIENT(c, .threads = {t}, .final = f%s);
    """
    [report] = check(client(tmp_path, body % ""))
    assert report.kind == "lost wake"
    [report] = check(client(tmp_path, body % ", .timeouts = 1"), settings=Settings(mode="exhaustive"))
    assert report.verdict is Verdict.OK, "while the sleep may still end by itself, it is no lost wake"
    twice = body.replace("last = 1;", "last = lf_model_futex_wait(&word, 0, 1000) != 0;")
    [report] = check(client(tmp_path, twice % ", .timeouts = 1"), settings=Settings(mode="exhaustive"))
    assert report.kind == "lost wake", "the second sleep has no time-out left"


def test_choices_are_all_explored(tmp_path):
    body = """
    static void t(void) { lf_model_observe("v", (unsigned)lf_model_choose(3) * 10 + (unsigned)lf_model_choose(2)); }
    LF_MODEL_CLIENT(c, .threads = {t});
    """
    [report] = check(client(tmp_path, body), settings=Settings(mode="exhaustive", outcomes=True))
    assert report.outcomes == {f"v={a * 10 + b}" for a in range(3) for b in range(2)}


def test_unknown_client_and_bad_source_are_exceptions_in_python(tmp_path):
    path = client(tmp_path, FINE.replace(HEAD, ""))
    with pytest.raises(ValueError, match="no client x"):
        check(path, clients=["x"])
    with pytest.raises(ValueError, match="no client x"):
        replay(path, "x:g1.0.0.1000--")
    with pytest.raises(BuildError):
        check(client(tmp_path, "?"))
