"""`lockfree top`: what it shows of objects with and without a name, and that looking changes nothing."""

import contextlib
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

import lockfree
from lockfree.__main__ import main


def looked(capsys, *options):
    assert main(["top", "--once", "--json", *options]) == 0
    return {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_a_named_object_with_all_that_is_known(shm_name, capsys):
    with lockfree.MPMCRing(8, 16, name=shm_name) as ring:
        ring.put_many([b"a", b"b", b"c"])
        ring.get()
        view = ring.peek()
        row = looked(capsys)[shm_name]
        assert (row["kind"], row["state"], row["problem"]) == ("MPMCRing", "open", "")
        assert {key: row["stats"][key] for key in ("puts", "gets", "inside", "room")} == {
            "puts": 3,
            "gets": 2,
            "inside": 1,
            "room": 8,
        }
        (peer,) = row["peers"]
        assert (peer["pid"], peer["alive"], peer["holds"], peer["roles"]) == (
            os.getpid(),
            True,
            1,
            ["producer", "consumer"],
        )
        ring.release(view)
        assert len(looked(capsys)[shm_name]["peers"]) == 1, "a viewer is no participant"
        ring.shutdown()
        assert looked(capsys)[shm_name]["state"] == "draining"
        ring.unlink()
    assert shm_name not in looked(capsys)


def test_every_kind_can_be_looked_at(shm_name, capsys):
    makers = [
        lockfree.Mutex, lockfree.SpinLock, lockfree.RLock, lockfree.RWLock, lockfree.Condition, lockfree.Event,
        lockfree.EventCount, lockfree.Semaphore, lambda **n: lockfree.Barrier(2, **n), lockfree.AtomicI64,
        lambda **n: lockfree.SPSCRing(4, 8, **n), lambda **n: lockfree.PriorityQueue(4, 8, **n),
        lambda **n: lockfree.MessageRing(1024, **n), lambda **n: lockfree.BroadcastRing(1024, 2, **n),
        lambda **n: lockfree.BlockPool(8, **n), lambda **n: lockfree.LatestValue(8, **n), lambda **n: lockfree.Arena(1 << 14, **n),
        lambda **n: lockfree.Space(4096, **n), lambda **n: lockfree.Queue(4, **n),
    ]  # fmt: skip
    made = [make(name=f"{shm_name}-{i}") for i, make in enumerate(makers)]
    try:
        rows = looked(capsys)
        for shared in made:
            row = rows[shared.name]
            assert row["problem"] == ""
            assert row["kind"] == ("Atomic" if "Atomic" in type(shared).__name__ else type(shared).__name__)
            assert row["stats"]["sleeps"] == 0
        assert main(["top", "--once", "--interval", "0.01"]) == 0
        assert all(shared.name in capsys.readouterr().out for shared in made[:1])
    finally:
        for shared in made:
            shared.close()
            Path(f"/dev/shm/lockfree.{shared.name}").unlink()


def test_those_of_a_process_also_without_a_name(capsys):
    with lockfree.Semaphore(3, 3) as permits:  # holds one
        process = get_context("fork").Process(target=lambda: (permits.acquire(n=2), time.sleep(600)), daemon=True)
        process.start()
        try:
            while permits.value:
                time.sleep(0.01)
            for pid in (os.getpid(), process.pid):
                rows = looked(capsys, "--pid", str(pid))
                found = [row for row in rows.values() if {p["pid"] for p in row["peers"]} == {os.getpid(), process.pid}]
                (row,) = found
                assert row["name"].startswith("anonymous:")
                assert {p["pid"]: p["holds"] for p in row["peers"]} == {os.getpid(): 1, process.pid: 2}
        finally:
            process.kill()
            process.join()


def test_the_dead_and_the_waiting(shm_name, capsys):
    with lockfree.MPMCRing(4, 8, name=shm_name, spin="never") as ring:
        process = get_context("fork").Process(target=lambda: (ring.put(b"x"), os.kill(os.getpid(), signal.SIGKILL)))
        process.start()
        process.join()
        assert main(["top", "--once", "--interval", "0.01"]) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if shm_name in line]
        assert f"+{process.pid}" in line
        ring.recover_dead()
        waiter = threading.Thread(target=lambda: (ring.get(), ring.get()))
        waiter.start()
        while sum(p["waiting"] for p in looked(capsys)[shm_name]["peers"]) != 1:
            time.sleep(0.005)
        row = looked(capsys)[shm_name]
        assert row["stats"]["recoveries"] == 1
        assert [p["alive"] for p in row["peers"]] == [True]
        ring.put(b"end")
        waiter.join(60)
        ring.unlink()


def test_files_that_are_no_objects(shm_name, capsys):
    path = Path(f"/dev/shm/lockfree.{shm_name}")
    for content in (b"", b"x" * 10_000):
        path.write_bytes(content)
        row = looked(capsys)[shm_name]
        assert row["kind"] == "?"
        assert "magic" in row["problem"] or "size" in row["problem"]
        assert main(["top", "--once", "--interval", "0.01"]) == 0
        assert "\x1b" not in capsys.readouterr().out


def test_damage_is_a_problem_and_no_crash(shm_name, capsys):
    """A ring whose own part is random bytes: the numbers are nonsense, and nothing else happens."""
    import random

    chance = random.Random(7)
    for kind, make in (
        ("MPMCRing", lambda: lockfree.MPMCRing(8, 16, name=shm_name)),
        ("SPSCRing", lambda: lockfree.SPSCRing(8, 16, name=shm_name)),
        ("PriorityQueue", lambda: lockfree.PriorityQueue(8, 16, 3, name=shm_name)),
        ("MessageRing", lambda: lockfree.MessageRing(1024, name=shm_name)),
        ("BlockPool", lambda: lockfree.BlockPool(64, name=shm_name)),
        ("Arena", lambda: lockfree.Arena(1 << 14, name=shm_name)),
        ("Semaphore", lambda: lockfree.Semaphore(3, 3, name=shm_name)),
        ("Mutex", lambda: lockfree.Mutex(name=shm_name)),
    ):
        make().close()
        path = Path(f"/dev/shm/lockfree.{shm_name}")
        data = bytearray(path.read_bytes())
        data[128:] = chance.randbytes(len(data) - 128)
        path.write_bytes(bytes(data))
        row = looked(capsys)[shm_name]
        assert row["kind"] in {kind, "?"}
        path.unlink()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--pid", "999999999"], "--pid is 999999999"),
        (["--interval", "0"], "--interval is 0"),
        (["--pid", "x"], "--pid"),
    ],
)
def test_wrong_options(options, text, capsys):
    status = 0
    try:
        status = main(["top", *options])
    except SystemExit as error:
        status = error.code
    assert status == 3
    assert text in capsys.readouterr().err


def test_the_live_table_ends_with_ctrl_c(shm_name):
    screen, terminal = os.openpty()
    with lockfree.Event(name=shm_name) as event:
        program = [sys.executable, "-m", "lockfree", "top", "--interval", "0.1"]
        environment = {**os.environ, "COLUMNS": "300", "LINES": "500", "TERM": "xterm"}
        with subprocess.Popen(program, stdout=terminal, stderr=subprocess.PIPE, env=environment) as process:
            os.close(terminal)
            shown = b""
            while shm_name.encode() not in shown:
                shown += os.read(screen, 65536)
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(OSError):  # EIO: the other side is closed
                while os.read(screen, 65536):
                    pass
            assert process.wait(60) == 0, process.stderr.read().decode()
        event.unlink()
    os.close(screen)


def screens(columns, lines, *options):
    """What a terminal of this size gets, without the codes for colours and places: until a look with rates is there."""
    screen, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES"}} | {"TERM": "xterm"}
    program = [sys.executable, "-m", "lockfree", "top", "--interval", "0.1", *options]
    with subprocess.Popen(program, stdout=terminal, stderr=subprocess.PIPE, env=environment) as process:
        os.close(terminal)
        shown, ended = b"", False
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while part := os.read(screen, 65536):
                shown += part
                if not ended and (shown.count(b"STATE") >= 3 or len(shown) > 300_000):
                    ended = True
                    process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, process.stderr.read().decode()
    os.close(screen)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode().replace("\x1b[H", "\r\n")).split("\r\n")


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 10)])
def test_a_small_terminal_has_a_line_for_each_object_where_something_happens(shm_name, columns, lines):
    names = [f"{shm_name[:6]}-{k:02}-{shm_name}" for k in range(30)]
    with contextlib.ExitStack() as stack:
        for name in names:
            lock = stack.enter_context(contextlib.closing(lockfree.Mutex(name=name)))
            stack.callback(lock.unlink)
        lock.acquire()
        shown = screens(columns, lines, "--pid", str(os.getpid()))
    assert max(map(len, shown)) <= columns
    assert any("the" in line and "where" in line for line in shown)
    first = [line for line in shown if line.startswith(f" {names[-1][:9]}")]
    assert first
    assert all("open" in line for line in first)
    if columns == 80:
        assert all(f"{os.getpid()}:1" in line and "Mutex" in line for line in first)
    tables = "\n".join(shown).split("OBJECT")
    assert all(table.count("open") <= lines - 2 for table in tables)


def test_one_table_leaves_nothing_out_on_a_narrow_terminal(shm_name):
    with lockfree.MPMCRing(4, 8, name=shm_name + "-with-a-name-that-is-longer-than-any-column") as ring:
        shown = "".join(screens(80, 24, "--once", "--pid", str(os.getpid())))  # the columns are as wide as its own need
        assert f"{ring.name}  MPMCRing" in shown
        ring.unlink()


def test_what_is_no_terminal_gets_one_table_after_the_other(shm_name):
    with lockfree.MPMCRing(8, 16, name=shm_name) as ring:
        ring.put(b"a")
        command = [sys.executable, "-m", "lockfree", "top", "--interval", "0.05", "--pid", str(os.getpid())]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                seen = 0
                for line in process.stdout:
                    seen += shm_name in line and "1/8" in line
                    if seen == 3:
                        break
                process.send_signal(signal.SIGINT)
                process.stdout.read()
                assert (seen, process.wait(60)) == (3, 0)
            finally:
                process.kill()
        ring.unlink()
