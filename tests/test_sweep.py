"""What is left behind: named segments listed and swept, anonymous ones freed by the kernel, also after kills."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import STUCK

import lockfree
from lockfree._sweep import segments, sweep

SHM = Path("/dev/shm")


def lockfree_command(*args):
    return subprocess.run([sys.executable, "-m", "lockfree", *args], capture_output=True, text=True, timeout=STUCK)


def find(name):
    return next((s for s in segments() if s.name == name), None)


def program(text, *args):
    """A separate Python program, running until it is killed; returns after it printed 'ready'."""
    process = subprocess.Popen([sys.executable, "-c", text, *args], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


HOLD = """
import lockfree, sys, time
ring = lockfree.MPMCRing(4, 8, name=sys.argv[1])
print("ready", flush=True)
time.sleep(100)
"""


def test_a_held_segment_is_listed_with_its_holder_and_not_swept(shm_name):
    holder = program(HOLD, shm_name)
    segment = find(shm_name)
    assert (segment.kind, segment.in_use, segment.pids) == ("MPMCRing", True, [holder.pid])
    assert not sweep(shm_name)
    holder.kill()
    holder.wait()
    assert find(shm_name).in_use is False
    assert sweep(shm_name)
    assert find(shm_name) is None


def test_gc_sweeps_what_the_dead_left_and_never_what_is_alive(shm_name):
    dead, alive = f"{shm_name}-dead", shm_name
    victim = program(HOLD, dead)
    victim.kill()
    victim.wait()
    with lockfree.MPMCRing(4, 8, name=alive):
        done = lockfree_command("gc", dead, alive)
        assert done.returncode == 0, done.stderr
        assert f"removed  {dead}" in done.stdout
        assert f"in use   {alive}" in done.stdout
        assert (SHM / f"lockfree.{alive}").exists()
    assert not (SHM / f"lockfree.{dead}").exists()


def test_gc_dry_run_removes_nothing(shm_name):
    lockfree.MPMCRing(4, 8, name=shm_name).close()
    assert f"would remove {shm_name}" in lockfree_command("gc", "--dry-run", shm_name).stdout
    assert find(shm_name) is not None


def test_gc_of_an_unknown_name_is_an_error():
    done = lockfree_command("gc", "there-is-no-such-segment")
    assert done.returncode == 3
    assert "there-is-no-such-segment" in done.stderr


def test_gc_keeps_a_file_that_is_not_ours(shm_name):
    (SHM / f"lockfree.{shm_name}").write_bytes(b"x" * 10000)
    done = lockfree_command("gc", shm_name)
    assert "magic" in done.stdout
    assert (SHM / f"lockfree.{shm_name}").exists()


@pytest.mark.parametrize("name", ["", "x" * 220], ids=["none", "long"])
def test_a_file_with_a_name_that_no_object_can_have_is_listed_and_kept(name):
    path = Path("/dev/shm/lockfree." + name)
    path.write_bytes(b"a file of somebody's")
    try:
        for command in (("ls",), ("gc", "--dry-run")):
            done = lockfree_command(*command)
            assert done.returncode == 0, done.stderr
            assert f"{name!r} is no name of a segment" in done.stdout
        assert path.exists()
    finally:
        path.unlink()


def test_ls_shows_it_in_both_forms(shm_name):
    with lockfree.AtomicU64(name=shm_name):
        assert shm_name in lockfree_command("ls").stdout
        lines = [json.loads(line) for line in lockfree_command("ls", "--json").stdout.splitlines()]
        assert any(line["name"] == shm_name and line["pids"] == [os.getpid()] for line in lines)


def test_a_segment_held_by_a_forked_child_alone_is_in_use(shm_name):
    ring = lockfree.MPMCRing(4, 8, name=shm_name)
    child = os.fork()
    if child == 0:
        time.sleep(100)
        os._exit(0)
    try:
        time.sleep(0.2)
        assert sorted(find(shm_name).pids) == sorted([os.getpid(), child])
        ring.close()
        assert find(shm_name).pids == [child]
        assert not sweep(shm_name)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert sweep(shm_name)


ANONYMOUS = """
import lockfree, time
rings = [lockfree.MPMCRing(64, 64) for _ in range(10)]
print("ready", flush=True)
time.sleep(100)
"""


def test_anonymous_objects_leave_nothing_when_killed():
    before = set(SHM.iterdir())
    victim = program(ANONYMOUS)
    assert set(SHM.iterdir()) == before
    victim.kill()
    victim.wait()
    assert set(SHM.iterdir()) == before


def test_files_are_private(shm_name):
    with lockfree.MPMCRing(4, 8, name=shm_name):
        assert (SHM / f"lockfree.{shm_name}").stat().st_mode & 0o777 == 0o600


def test_a_handle_that_came_to_nothing_closes_no_file_of_ours():
    """Its fields are zero, and file 0 is standard input."""
    code = "import os, lockfree; lockfree.MPMCRing.__new__(lockfree.MPMCRing)._begin(None); os.fstat(0)"
    subprocess.run([sys.executable, "-c", code], check=True, stdin=subprocess.DEVNULL)


def test_participant_numbers_come_back():
    with lockfree.MPMCRing(4, 8) as ring:
        for _ in range(300):  # more than there are numbers
            child = os.fork()
            if child == 0:
                os._exit(0 if ring.try_put(b"x") and ring.try_get() == b"x" else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_4096_attachments_are_refused_by_name(shm_name):
    with lockfree.AtomicU64(name=shm_name) as first:
        others = [lockfree.AtomicU64.attach(shm_name) for _ in range(4094)]
        with pytest.raises(lockfree.SegmentError, match="all 4,095 participant numbers"):
            lockfree.AtomicU64.attach(shm_name)
        others.pop().close()
        lockfree.AtomicU64.attach(shm_name).fetch_add(1)
        assert first.value == 1
        for other in others:
            other.close()


def test_nobodys_maps_are_read_where_there_is_no_segment(tmp_path, monkeypatch):
    def read():
        raise AssertionError("the maps of all processes were read")

    monkeypatch.setattr("lockfree._sweep.DIRECTORY", tmp_path)
    monkeypatch.setattr("lockfree._sweep._mappers", read)
    assert segments() == []
    (tmp_path / "lockfree.one").touch()
    with pytest.raises(AssertionError):
        segments()


@pytest.mark.parametrize("target", ["itself", "/nowhere", "/etc/passwd", "/proc/1/root/x"])
def test_a_symbolic_link_is_listed_with_what_it_is(shm_name, target):
    """Wherever it leads: the list of the others does not end there."""
    path = Path("/dev/shm") / f"lockfree.{shm_name}"  # noqa: S108
    path.symlink_to(path if target == "itself" else target)
    try:
        found = {segment.name: segment.problem for segment in segments()}
        assert "found a symbolic link, expected a regular file" in found[shm_name]
    finally:
        path.unlink()
