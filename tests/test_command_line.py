"""The command line: what would have no effect is refused, outputs are tried first, names cannot speak to the terminal."""

import argparse
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lockfree
from lockfree.__main__ import _parser, main
from lockfree._command import UsageError, printable, quoted, try_file, write_whole

CORPUS = Path(__file__).parent.parent / "stress/corpus"
CLIENT = "int main(void) { return 0; }\n"


def refused(capsys, *words):
    """What a command that must be refused with status 3 says on standard error."""
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    assert status == 3
    seen = capsys.readouterr()
    assert not seen.out, "it began"
    return seen.err


# ---- options without effect ----


@pytest.mark.parametrize("option", ["--slice=1/3", "--operation=release", "--mode=wait", "--at=0", "--at=-2"])
def test_options_of_kill_everywhere_are_refused_without_it(option, capsys):
    said = refused(capsys, "stress", "mutex", option)
    assert f"{option.split('=')[0]} has no effect without --kill-everywhere" in said


@pytest.mark.parametrize(
    "option", ["--seconds=5", "--operations=5", "--procs=2", "--start-method=fork", "--kill", "--driver=c", "--round=0"]
)
def test_options_of_rounds_are_refused_with_kill_everywhere(option, capsys):
    said = refused(capsys, "stress", "mutex", "--kill-everywhere", option, "--seed=1")
    assert f"{option.split('=')[0]} has no effect with --kill-everywhere" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mutex", "--kill-everywhere", "--at=3", "--slice=1/2"], "--slice has no effect with --at"),
        (["mutex", "--kill-everywhere", "--operation=recover", "--operation=quark"], "no operation quark"),
        (["mutex", "spsc_ring", "--kill-everywhere", "--operation=recover"], "spsc_ring has none of these operations"),
        (["mutex", "--round=3"], "--round has no effect without --seed"),
        (["mutex", "--round=-3", "--seed=1"], "--round is -3"),
        (["mutex", "--procs=0"], "--procs is 0: it must be 1 to 64"),
        (["mutex", "--seconds=nan"], "--seconds is nan"),
        (["mutex", "--operations=0"], "--operations is 0: it must be 1"),
        (["mutex", "--operations=9", "--seconds=1"], "--seconds has no effect with --operations"),
        (["mutex", "--seed=-1"], "--seed is -1"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_stress_refuses(words, says, capsys):
    assert says in refused(capsys, "stress", *words)


def test_a_point_that_is_none_is_refused(capsys):
    assert "not -5" in refused(capsys, "stress", "mutex", "--kill-everywhere", "--at=-5")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--replay=a:g", "--client=a"], "--client has no effect with --replay"),
        (["--replay=a:g", "--seconds=1", "--c20"], "--seconds, --c20 have no effect with --replay"),
        (["--replay=a:g", "--seed=1"], "--seed has no effect with --replay"),
        (["--preemptions=1"], "--preemptions has no effect in mode auto"),
        (["--mode=random", "--depth=2"], "--depth has no effect in mode random"),
        (["--mode=exhaustive", "--seed=2"], "--seed has no effect in mode exhaustive"),
        (["--mode=bounded", "--preemptions=-1"], "preemptions is -1: it must be 0 to 1,000,000"),
        (["--seconds=nan"], "seconds is nan: it must be 0.001 to 10,000,000"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_model_refuses(words, says, capsys, tmp_path):
    source = tmp_path / "client.c"
    source.write_text(CLIENT)
    assert says in refused(capsys, "model", str(source), *words)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("notes.txt", "is no program: its name must end in .c, "),
        ("folder", "is a directory"),
        ("missing.c", "no such file"),
    ],
)
def test_model_says_which_files_it_takes(name, says, capsys, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder").mkdir()
    assert says in refused(capsys, "model", str(tmp_path / name))


@pytest.mark.parametrize("seconds", ["nan", "0", "-1", "inf", "1e9"])
def test_top_refuses_an_interval_that_is_none(seconds, capsys):
    said = refused(capsys, "top", "--once", f"--interval={seconds}")
    assert f"--interval is {float(seconds):g}: it must be 0.01 to 86400 seconds" in said


def test_top_refuses_an_interval_of_one_look(capsys):
    said = refused(capsys, "top", "--once", "--json", "--interval=1")
    assert "--interval has no effect with --once --json, which look once" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "here", "--in", "there"], "here and --in there: name one folder"),
        (["report", "here", "--in", "there"], "here and --in there: name one folder"),
        (["round", "peterson", "--in", "there"], "--in names a round that runs: it has its kata and its minutes"),
        (["round", "--minutes=9", "--in", "there"], "--in names a round that runs: it has its kata and its minutes"),
        (["selftest", "--part=attacks", "--times=2"], "--times has no effect without the part answers"),
        (["selftest", "--part=mutants", "--times=1"], "--times has no effect without the part answers"),
        (["selftest", "--part=attacks", "peterson"], "peterson: attacks are those of all katas, so none can be named"),
        (["break", "peterson", "relaxed", "--list"], "relaxed and --list: --list names all answers, and plays none"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_practice_refuses(words, says, capsys):
    assert says in refused(capsys, "practice", *words)


def test_a_full_check_is_refused_in_a_round_that_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["practice", "round", "crawler"]) == 0
    capsys.readouterr()
    said = refused(capsys, "practice", "check", "--in", "crawler-round", "--full")
    assert "--full has no effect in a round that runs, where only the examples are judged" in said


def test_check_refuses_json_that_is_not_printed(capsys):
    history = str(CORPUS / "queue-bad.jsonl")
    assert "--json has no effect with --quiet" in refused(capsys, "check", history, "--spec=queue", "--json", "--quiet")


def test_what_has_an_effect_is_not_refused(capsys):
    words = ["stress", "mutex", "--kill-everywhere", "--operation", "recover", "--mode", "go-on", "--at", "0"]
    assert main(words) == 0
    assert "1 processes killed" in capsys.readouterr().out


@pytest.mark.parametrize(("at", "why"), [("9999", "before --at 9999"), ("-2", "never sleeps")])
def test_a_point_that_an_operation_does_not_have_is_said(at, why, capsys):
    words = ["stress", "mutex", "--kill-everywhere", "--operation", "recover", "--mode", "go-on"]
    assert main([*words, "--at", at]) == 2
    assert why in capsys.readouterr().out


def test_every_option_has_a_help_text():
    [commands] = [a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction)]
    for command, parser in commands.choices.items():
        for action in parser._actions:
            assert action.help, f"lockfree {command} {action.option_strings or action.dest}"


# ---- where to write ----


@pytest.fixture
def nowhere(tmp_path):
    """A path whose folder cannot be made: its parent is a file."""
    (tmp_path / "file").write_text("precious")
    return tmp_path / "file" / "out"


@pytest.mark.parametrize("more", [[], ["--kill-everywhere"]])
def test_stress_tries_its_output_before_the_run(more, nowhere, capsys):
    assert str(nowhere) in refused(capsys, "stress", "mutex", *more, "--out", str(nowhere))
    said = refused(capsys, "stress", "mutex", *more, "--out", str(nowhere.parent))
    assert f"lockfree stress: --out: {nowhere.parent}: Not a directory" in said
    assert nowhere.parent.read_text() == "precious"


def test_stress_says_before_the_run_that_the_page_needs_jinja2(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "pip install 'lockfree[tools]'" in refused(capsys, "stress", "mutex", "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_check_tries_its_output_before_the_work(nowhere, tmp_path, capsys):
    history = tmp_path / "history.jsonl"
    history.write_text((CORPUS / "queue-bad.jsonl").read_text())
    before = history.read_text()
    words = ["check", str(history), "--spec", "queue", "--html"]
    assert str(nowhere.parent) in refused(capsys, *words, str(nowhere))
    assert "Is a directory" in refused(capsys, *words, str(tmp_path))
    assert "this file is read, and would be replaced" in refused(capsys, *words, str(history))
    assert history.read_text() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "history.jsonl"]


def test_model_tries_its_outputs_before_the_work(nowhere, tmp_path, capsys):
    source = tmp_path / "client.c"
    source.write_text(CLIENT)
    for option in ("--html", "--dot"):
        words = ["model", str(source), option]
        assert str(nowhere.parent) in refused(capsys, *words, str(nowhere))
        assert "this file is read, and would be replaced" in refused(capsys, *words, f"{tmp_path}/./client.c")
    both = ["--html", str(tmp_path / "out"), "--dot", str(tmp_path / "out")]
    assert "is written by --html already" in refused(capsys, "model", str(source), *both)
    assert source.read_text() == CLIENT
    assert sorted(p.name for p in tmp_path.iterdir()) == ["client.c", "file"]


OUTPUTS = [
    ["stress", "mutex", "--out"], ["stress", "mutex", "--kill-everywhere", "--out"], ["check", "h", "--spec=queue", "--html"],
    ["model", "c.c", "--html"], ["model", "c.c", "--dot"], ["machine", "--html"], ["machine", "--json"], ["bench", "--html"],
    ["bench", "--json"], ["practice", "report", "--out"], ["practice", "check", "--in"], ["practice", "start", "kata"],
]  # fmt: skip


@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
def test_an_empty_name_is_no_place(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, *words, "")
    assert "it is empty: it must name a file or a folder" in said
    assert words[-1] in said or "FOLDER" in said
    assert not list(tmp_path.iterdir())


def commands(parser, name="lockfree"):
    """Every command of a parser, with its name."""
    yield name, parser
    for action in parser._actions:
        for word, below in (action.choices or {}).items() if isinstance(action.choices, dict) else ():
            yield from commands(below, f"{name} {word}")


def test_every_command_says_what_it_does():
    found = dict(commands(_parser()))
    assert len(found) > 15
    assert not [name for name, parser in found.items() if not parser.description]


def test_an_unknown_primitive_is_an_error_and_no_output(capsys):
    for words in (["stress"], ["stress", "--kill-everywhere"], ["bench"]):
        assert "no primitive no_such; there are " in refused(capsys, *words, "no_such")


@pytest.mark.parametrize("memory", ["abc", "-1", "0", "nan", "", "1e400"])
def test_check_refuses_memory_that_is_none(memory, capsys):
    history = str(CORPUS / "queue-bad.jsonl")
    said = refused(capsys, "check", history, "--spec=queue", f"--memory={memory}")
    assert "is not a number of bytes" in said
    assert repr(memory) in said


def test_check_names_the_bound_of_a_time_out(capsys):
    assert main(["check", str(CORPUS / "queue-bad.jsonl"), "--spec=queue", "--timeout=nan"]) == 3
    assert "the time-out is nan seconds: it must be from 0 up to" in capsys.readouterr().err


# ---- names ----

EVIL = "test-{pid}-evil\x1b[2J\x1b]0;pwn\x07\nfake   MUTEX  1 B\u202e"


@pytest.fixture
def evil_name():
    name = EVIL.format(pid=os.getpid())
    yield name
    Path(f"/dev/shm/lockfree.{name}").unlink(missing_ok=True)


def harmless(text):
    return all(c.isprintable() for c in text.replace("\n", ""))


def test_ls_and_gc_escape_names(evil_name, capsys):
    lockfree.Mutex(name=evil_name).close()
    assert main(["ls"]) == 0
    listed = capsys.readouterr().out
    assert harmless(listed)
    [line] = [line for line in listed.splitlines() if f"test-{os.getpid()}-evil" in line]
    assert quoted(evil_name) in line
    assert main(["ls", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert evil_name in [row["name"] for row in rows]
    assert main(["gc", "--dry-run", evil_name]) == 0
    assert harmless(capsys.readouterr().out)
    assert main(["gc", quoted(evil_name)]) == 0, "the name as ls shows it"
    assert "removed" in capsys.readouterr().out
    assert not Path(f"/dev/shm/lockfree.{evil_name}").exists()
    assert main(["gc", evil_name]) == 3
    assert harmless(capsys.readouterr().err)


def test_ls_shows_some_of_many_holders_and_says_how_many_there_are(monkeypatch, capsys):
    from lockfree import _sweep

    made = [
        _sweep.Segment(f"of-{n}", "Mutex", 4096, 1.0, in_use=True, pids=list(range(1, n + 1))) for n in (8, 9, 4095)
    ]
    monkeypatch.setattr(_sweep, "segments", lambda: made)
    assert main(["ls"]) == 0
    few, more, many = capsys.readouterr().out.splitlines()[1:]
    assert few.endswith(" 1,2,3,4,5,6,7,8")
    assert more.endswith(" 1,2,3,4,5,6,7,8 and 1 more")
    assert many.endswith(" 1,2,3,4,5,6,7,8 and 4,087 more")
    assert main(["ls", "--json"]) == 0
    assert [len(json.loads(line)["pids"]) for line in capsys.readouterr().out.splitlines()] == [8, 9, 4095]


def test_a_broken_segment_with_an_evil_name_is_escaped_in_its_problem_too(evil_name, capsys):
    Path(f"/dev/shm/lockfree.{evil_name}").write_bytes(b"x" * 9000)
    for command in (["ls"], ["gc", evil_name]):
        assert main(command) == 0
        said = capsys.readouterr().out
        assert "magic" in said
        assert harmless(said)


def test_a_name_that_is_no_text_is_listed(capsys):
    path = os.fsencode(f"/dev/shm/lockfree.test-{os.getpid()}-") + b"\xff"
    with open(path, "wb"):
        pass
    try:
        assert main(["ls"]) == 0
        assert "\\udcff" in capsys.readouterr().out
    finally:
        os.unlink(path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("jobs", "jobs"),
        ("größe-7", "größe-7"),
        ("two words", "'two words'"),
        ("a\nb", "'a\\nb'"),
        ("\\x1b", "'\\\\x1b'"),
        ("", "''"),
    ],
)
def test_names_are_quoted_when_they_could_mislead(name, shown):
    assert quoted(name) == shown


def test_printable_keeps_what_is():
    assert printable("ä → b") == "ä → b"
    assert printable("\x9b31m\u2028\r") == "\\x9b31m\\u2028\\r"


# ---- completion by a shell, and the version ----


def completions(line, tmp_path):
    """What a shell with argcomplete offers after this line."""
    pytest.importorskip("argcomplete")
    out = tmp_path / "offered"
    words = {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
    }
    words |= {"_ARGCOMPLETE_IFS": "\n", "COMP_TYPE": "9"}
    code = "import sys; from lockfree.__main__ import main; sys.argv[0] = 'lockfree'; main()"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [word.strip() for word in out.read_text().split("\n")]


def test_a_shell_completes_commands_and_options(tmp_path):
    assert completions("lockfree st", tmp_path) == ["stress"]
    assert "--kill-everywhere" in completions("lockfree stress --kill", tmp_path)
    assert completions("lockfree gc --dr", tmp_path) == ["--dry-run"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("lockfree stress mpm", "mpmc_ring"),
        ("lockfree bench spsc", "spsc_ring"),
        ("lockfree check history --spec unord", "unordered-queue"),
        ("lockfree practice start treiber", "treiber_stack"),
        ("lockfree practice selftest mpmc_ring_st", "mpmc_ring_strict"),
    ],
)
def test_a_shell_completes_the_words_that_an_argument_can_be(line, found, tmp_path):
    assert completions(line, tmp_path) == [found]


def test_a_shell_completes_names_of_segments(shm_name, tmp_path):
    ring = lockfree.MPMCRing(4, 8, name=shm_name)
    assert completions(f"lockfree gc {shm_name[:-2]}", tmp_path) == [shm_name]
    ring.close()
    ring.unlink()


def test_the_version_stands_once(capsys):
    from importlib.metadata import version

    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"lockfree {lockfree.__version__}\n"
    assert version("lockfree") == lockfree.__version__
    root = Path(__file__).parent.parent
    assert "version" in tomllib.loads((root / "pyproject.toml").read_text())["project"]["dynamic"]


@pytest.mark.parametrize("words", [["stress", "mutex", "--kill-everywhere"], ["model", "CLIENT"]], ids=lambda w: w[0])
def test_a_command_that_needs_a_compiler_says_how_to_get_one(words, monkeypatch, tmp_path, capsys):
    client = tmp_path / "client.c"
    client.write_text(CLIENT)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "")
    said = refused(capsys, *(str(client) if word == "CLIENT" else word for word in words))
    assert len(said.splitlines()) == 1
    assert "no C compiler: cc not found. Install one (Debian, Ubuntu: apt install gcc" in said


def test_a_written_file_replaces_no_link_and_no_pipe(tmp_path):
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("before")
    link.symlink_to(target)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        for path in (link, pipe):
            try_file("--json", path)
            write_whole(path, "after")
        assert os.read(reader, 100) == b"after"
    finally:
        os.close(reader)
    assert link.is_symlink()
    assert target.read_text() == "after"
    assert pipe.is_fifo()


def test_a_name_that_fits_is_written_and_one_that_does_not_is_refused_before(tmp_path):
    path = tmp_path / ("n" * 250)
    try_file("--json", path)
    write_whole(path, "text")
    assert path.read_text() == "text"
    with pytest.raises(UsageError, match=r"^--json: .*File name too long"):
        try_file("--json", tmp_path / ("n" * 256))


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Not a directory"):
        try_file("--json", tmp_path / "file" / "report")
