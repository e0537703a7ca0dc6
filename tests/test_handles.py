"""Handles are values: a named object pickles by name, an anonymous one only to a process that is alive; and `open`."""

import contextlib
import copy
import inspect
import io
import pickle
import signal
import subprocess
import sys
import textwrap
from multiprocessing import reduction

import numpy as np
import pytest

import lockfree

MAKE = {
    "MPMCRing": (8, 16),
    "SPSCRing": (8, 16),
    "PriorityQueue": (8, 16, 3),
    "MessageRing": (1000,),
    "Queue": (3,),
    "JoinableQueue": (3,),
    "SimpleQueue": (),
    "BroadcastRing": (1000, 2),
    "BlockPool": (8,),
    "Arena": (10000,),
    "Mutex": (),
    "SpinLock": (),
    "RLock": (),
    "RWLock": (),
    "Semaphore": (2, 5),
    "Condition": (),
    "Event": (),
    "EventCount": (),
    "Barrier": (2,),
    "LatestValue": (16,),
    "Space": (4096,),
    "AtomicU64": (7,),
    "AtomicFlag": (),
}
OTHERWISE = {
    "MPMCRing": [((9, 16), "capacity: found 8, asked for 9"), ((8, 24), "record_size: found 16, asked for 24")],
    "SPSCRing": [((8, 17), "record_size: found 16, asked for 17")],
    "PriorityQueue": [((8, 16, 4), "levels: found 3, asked for 4")],
    "MessageRing": [
        ((2000,), "size_bytes: found 1024, asked for 2048"),
        ((1024, 64), "block_bytes: found 256, asked"),
        ((1000, None, 3), "max_messages: found None, asked for 3"),
    ],
    "Queue": [((4,), "maxsize: found 3, asked for 4")],
    "BroadcastRing": [
        ((1000, 3), "readers: found 2, asked for 3"),
        ((2000, 2), "size_bytes: found 1024, asked for 2048"),
    ],
    "BlockPool": [((9,), "blocks: found 8, asked for 9")],
    "Arena": [((20000,), "size_bytes: found 12288, asked for 20480")],
    "Semaphore": [((2, 6), "max_value: found 5, asked for 6"), ((2,), "max_value: found 5, asked for")],
    "Space": [((8192,), "size_bytes: found 4096, asked for 8192")],
    "LatestValue": [((17,), "record_size: found 16, asked for 17")],
    "Barrier": [((3,), "parties: found 2, asked for 3")],
}


def python(code, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        timeout=120,
        check=False,
        **options,
    )


def killed_after(code, *arguments):
    """Runs the code, and kills it once it has printed something."""
    program = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def made(kind, name=None, **named):
    shared = getattr(lockfree, kind)(*MAKE[kind], name=name, **named)
    try:
        yield shared
    finally:
        shared.close()


@pytest.mark.parametrize("kind", MAKE)
def test_bytes_of_a_named_object_load_as_often_as_you_like(kind, shm_name):
    with made(kind, shm_name) as shared:
        data = pickle.dumps(shared)
        for _ in range(2):
            with contextlib.closing(pickle.loads(data)) as again:
                assert type(again) is type(shared)
                assert again._identity() == shared._identity()
                assert again._h.h.participant != shared._h.h.participant
        shared.unlink()


def test_bytes_load_in_a_program_that_has_nothing_to_do_with_us(shm_name, tmp_path):
    with lockfree.MPMCRing(4, dtype=np.dtype([("a", "u4"), ("b", "f8")]), name=shm_name, spin=7) as ring:
        (tmp_path / "handle").write_bytes(pickle.dumps(ring))
        code = """
            import pickle, sys
            ring = pickle.load(open(sys.argv[1], "rb"))
            ring.put((5, 1.5))
            print(ring.dtype.names, ring.spin)
        """
        for _ in range(2):
            done = python(code, str(tmp_path / "handle"))
            assert done.stdout.decode().strip() == "('a', 'b') 7", done.stderr.decode()
        assert [record["a"] for record in ring.get_many(9)] == [5, 5]
        ring.unlink()
    done = python(code, str(tmp_path / "handle"))
    assert "FileNotFoundError" in done.stderr.decode()


@pytest.mark.parametrize("kind", MAKE)
def test_an_anonymous_object_says_that_bytes_cannot_keep_it(kind):
    with made(kind) as shared:
        with pytest.raises(RuntimeError, match=f"{kind}: an object without a name can only be pickled for a process"):
            pickle.dumps(shared)
        again = reduction.ForkingPickler.loads(reduction.ForkingPickler.dumps(shared))
        assert again._identity() == shared._identity()
        again.close()


@pytest.mark.parametrize("first", ["import multiprocessing.reduction", "pass"])
def test_the_very_first_pickling_knows_where_it_goes(first):
    """Whether multiprocessing was loaded before the first object was made, or after it."""
    code = """
        FIRST
        import pickle, lockfree
        ring = lockfree.MPMCRing(4, 8)
        ring.put(b"x")
        try:
            pickle.dumps(ring)
        except RuntimeError:
            print("refused")
        from multiprocessing.reduction import ForkingPickler
        print(ForkingPickler.loads(ForkingPickler.dumps([ring]))[0].get())
        try:
            pickle.dumps(ring)
        except RuntimeError:
            print("refused")
    """
    done = python(textwrap.dedent(code).replace("FIRST", first))
    assert done.stdout.decode().split() == ["refused", "b'x'", "refused"], done.stderr.decode()


def test_a_pickler_of_a_library_of_ones_own():
    """As PyTorch's, which makes one for each object."""
    code = """
        import lockfree
        ring = lockfree.MPMCRing(4, 8)
        ring.put(b"x")
        import io
        from multiprocessing.reduction import ForkingPickler
        for _ in range(2):
            file = io.BytesIO()
            ForkingPickler(file, 5).dump({"ring": ring})
            ring = ForkingPickler.loads(file.getvalue())["ring"]
        print(ring.get())
    """
    done = python(code)
    assert done.stdout.decode().strip() == "b'x'", done.stderr.decode()


def test_a_named_object_whose_name_is_gone_still_goes_to_a_living_process(shm_name):
    with made("Event", shm_name) as shared:
        shared.unlink()
        with pytest.raises(FileNotFoundError, match="its name was removed"):
            pickle.dumps(shared)
        with contextlib.closing(pickle.loads(reduction.ForkingPickler.dumps(shared))) as again:
            again.set()
            assert shared.is_set()


def test_a_name_that_stands_for_another_object_is_not_trusted(shm_name):
    with made("Event", shm_name) as shared:
        data = pickle.dumps(shared)
        shared.unlink()
        with made("Event", shm_name) as other:
            with pytest.raises(lockfree.SegmentError, match=r"found inode \d+ of device \d+, expected \d+ of"):
                pickle.loads(data)
            with pytest.raises(FileNotFoundError):
                pickle.dumps(shared)
            other.unlink()


def test_a_closed_object_does_not_travel():
    with made("Mutex") as shared:
        pass
    for call in (lambda: pickle.dumps(shared), lambda: reduction.ForkingPickler(io.BytesIO()).dump(shared)):
        with pytest.raises(lockfree.Closed):
            call()


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
def test_a_copy_is_one_more_participant(way):
    with made("MPMCRing") as ring, contextlib.closing(way(ring)) as again:
        again.put(b"x")
        assert ring.get() == b"x"
        assert again._h.h.participant != ring._h.h.participant


# ---- open ----


@pytest.mark.parametrize("kind", MAKE)
def test_open_creates_and_then_attaches(kind, shm_name):
    cls = getattr(lockfree, kind)
    with contextlib.closing(cls.open(shm_name, *MAKE[kind])) as first:
        with contextlib.closing(cls.open(shm_name, *MAKE[kind])) as second:
            assert first._identity() == second._identity()
            assert first.name == second.name == shm_name
        for arguments, text in OTHERWISE.get(kind, []):
            with pytest.raises(lockfree.SegmentError, match=f"{kind} '{shm_name}': {text}"):
                cls.open(shm_name, *arguments)
        first.unlink()


def test_open_compares_how_a_semaphore_began(shm_name):
    """What comes back from the dead never lifts it above that."""
    with contextlib.closing(lockfree.Semaphore.open(shm_name, 3, 5)) as semaphore:
        semaphore.acquire()
        lockfree.Semaphore.open(shm_name, 3, 5).close()
        with pytest.raises(lockfree.SegmentError, match="initial_value: found 3, asked for 2"):
            lockfree.Semaphore.open(shm_name, 2, 5)
        semaphore.unlink()


LOCAL = {"name", "spin", "casting", "lock", "action", "timeout", "dumps", "loads", "arena", "arena_from"}
"""What each process chooses for itself."""
CHANGES = {
    "value": 1, "max_value": 4, "size_bytes": 8192, "block_bytes": 64, "maxsize": 5, "max_messages": 3, "readers": 3, "slow": "drop",
    "capacity": 9, "record_size": 9, "dtype": np.dtype("V16"), "levels": 4, "fronts": True, "copies": 5, "parties": 3, "blocks": 9,
    "order": "lifo", "persistent": True, "max_blocks": 7, "huge_pages": True, "prefault": True, "threads": 65,
}  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in MAKE if not kind.startswith("Atomic")])
def test_open_compares_whatever_the_creator_chooses(kind, shm_name):
    cls = getattr(lockfree, kind)
    with contextlib.closing(cls(*MAKE[kind], name=shm_name)) as first:
        usual = inspect.signature(cls).bind(*MAKE[kind])
        for parameter in set(inspect.signature(cls).parameters) - LOCAL:
            given = usual.arguments | {parameter: CHANGES[parameter]}
            given.pop("record_size" if parameter == "dtype" else "", None)
            with pytest.raises(lockfree.SegmentError, match="found .*, asked for"):
                cls.open(shm_name, **given)
        first.unlink()


def test_open_compares_dtypes(shm_name):
    with lockfree.MPMCRing.open(shm_name, 4, dtype="u8") as ring:
        with pytest.raises(
            lockfree.SegmentError, match=r"dtype: found dtype\('uint64'\), asked for dtype\('float64'\)"
        ):
            lockfree.MPMCRing.open(shm_name, 4, dtype="f8")
        with pytest.raises(lockfree.SegmentError, match=r"dtype: found dtype\('uint64'\), asked for None"):
            lockfree.MPMCRing.open(shm_name, 4, 8)
        with pytest.raises(lockfree.SegmentError, match=r"kind: found"):
            lockfree.SPSCRing.open(shm_name, 4, dtype="u8")
        ring.unlink()


KILLED = """
    import sys, time
    import lockfree
    ring = lockfree.MPMCRing.open(sys.argv[1], 4, 16)
    ring.put(b"one")
    ring.put(b"two")
    kept = ring.lease()
    kept.__enter__()
    ring.reserve()
    print("up", flush=True)
    time.sleep(60)
"""


def test_open_takes_over_what_a_killed_process_left(shm_name):
    killed_after(KILLED, shm_name)
    with lockfree.MPMCRing.open(shm_name, 4, 16) as ring:
        assert sorted(ring.get_many(9)) == [b"one", b"two"]
        assert ring.put_many([b"x"] * 9) == 4
        ring.unlink()


def test_open_replaces_what_no_living_process_uses(shm_name):
    killed_after(KILLED, shm_name)
    with lockfree.MPMCRing.open(shm_name, 8, 32, if_dead="replace") as ring:
        assert (ring.capacity, ring.qsize()) == (8, 0)
        ring.put(b"x")
        with lockfree.MPMCRing.open(shm_name, 8, 32, if_dead="replace") as again:
            assert again.get() == b"x"  # it was alive
        with pytest.raises(lockfree.SegmentError, match="capacity: found 8, asked for 4"):
            lockfree.MPMCRing.open(shm_name, 4, 32, if_dead="replace")
        ring.unlink()


def test_a_service_that_is_killed_again_and_again(shm_name):
    for start in range(3):
        killed_after(KILLED, shm_name)
        with lockfree.MPMCRing.open(shm_name, 4, 16) as ring:
            assert ring.qsize() == (2, 4, 4)[start]
            if start == 1:
                assert len(ring.get_many(2)) == 2
    lockfree.MPMCRing.attach(shm_name).unlink()


def test_many_that_open_at_once_get_one_object(shm_name):
    code = """
        import sys, lockfree
        with lockfree.MPMCRing.open(sys.argv[1], 8, 8) as ring:
            ring.put(b"here")
            sys.stdin.read()
    """
    program = [sys.executable, "-c", textwrap.dedent(code), shm_name]
    with contextlib.ExitStack() as stack:
        all_of_them = [stack.enter_context(subprocess.Popen(program, stdin=subprocess.PIPE)) for _ in range(4)]
        with lockfree.MPMCRing.open(shm_name, 8, 8) as ring:
            assert [ring.get(timeout=60) for _ in range(4)] == [b"here"] * 4
            ring.unlink()
        for process in all_of_them:
            process.stdin.close()
            assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: lockfree.Mutex.open(None), TypeError, "name is None"),
        (lambda: lockfree.Mutex.open("a/b"), ValueError, "name is 'a/b'"),
        (lambda: lockfree.Mutex.open("a", if_dead="yes"), ValueError, "if_dead is 'yes'"),
        (lambda: lockfree.Mutex.open("a", 3), TypeError, "positional"),
        (lambda: lockfree.MPMCRing.open("a", 3), TypeError, "record_size or dtype"),
        (lambda: lockfree.MessageRing.open("a", 3), ValueError, "size_bytes is 3"),
    ],
)
def test_arguments_of_open(call, error, text):
    with pytest.raises(error, match=text):
        call()
