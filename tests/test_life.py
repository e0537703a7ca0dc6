"""The life of an object in a process: forks of every kind, descriptors that the program closes, and why one cannot join."""

import ctypes
import errno
import functools
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from multiprocessing import get_context
from pathlib import Path

import pytest
from patience import STUCK

import lockfree
import lockfree._peers
import lockfree._polling  # to import them takes a descriptor, too
from lockfree._native import PURE

PriorityQueue = lockfree.PriorityQueue  # loaded before a child has no descriptors left to load it

KINDS = [
    lambda name=None: lockfree.Mutex(name=name),
    lambda name=None: lockfree.SpinLock(name=name),
    lambda name=None: lockfree.Semaphore(3, name=name),
    lambda name=None: lockfree.Event(name=name),
    lambda name=None: lockfree.MPMCRing(4, 16, name=name),
    lambda name=None: lockfree.SPSCRing(4, 16, name=name),
    lambda name=None: lockfree.PriorityQueue(4, 16, levels=2, name=name),
    lambda name=None: lockfree.BroadcastRing(256, 2, name=name),
    lambda name=None: lockfree.MessageRing(256, 64, name=name),
    lambda name=None: lockfree.Queue(3, name=name),
    lambda name=None: lockfree.BlockPool(4, name=name),
    lambda name=None: lockfree.RLock(name=name),
    lambda name=None: lockfree.RWLock(name=name),
    lambda name=None: lockfree.Condition(name=name),
    lambda name=None: lockfree.Barrier(1, name=name),
    lambda name=None: lockfree.EventCount(name=name),
    lambda name=None: lockfree.AtomicU64(name=name),
    lambda name=None: lockfree.AtomicFlag(name=name),
    lambda name=None: lockfree.LatestValue(8, name=name),
    lambda name=None: lockfree.Space(4096, name=name),
    lambda name=None: lockfree.Arena(1 << 16, name=name),
]
IDS = [
    *("mutex", "spinlock", "semaphore", "event", "mpmc_ring", "spsc_ring", "priority_queue", "broadcast_ring"),
    *("message_ring", "queue", "block_pool", "rlock", "rwlock", "condition", "barrier", "event_count", "atomic_u64"),
    *("atomic_flag", "latest_value", "space", "arena"),
]
CALLS = {
    "Event": lambda shared: shared.set() is None,
    "BlockPool": lambda shared: shared.alloc(1) is not None,
    "RWLock": lambda shared: shared.acquire_write(False),
    "Condition": lambda shared: shared.acquire(False),
    "Barrier": lambda shared: shared.wait() == 0,
    "EventCount": lambda shared: shared.prepare() is not None,
    "AtomicU64": lambda shared: shared.fetch_add(1) >= 0,
    "AtomicFlag": lambda shared: shared.store(True) is None,
    "LatestValue": lambda shared: shared.set(b"x" * 8) is not None,
    "Space": lambda shared: shared.mutex("m").try_acquire(),
    "Arena": lambda shared: shared.alloc(100) is not None,
}


def use(shared):
    """One operation that needs a participant."""
    if isinstance(shared, PriorityQueue):
        return shared.try_put(b"x", 1)
    if hasattr(shared, "try_put"):
        return shared.try_put(b"x")
    call = CALLS.get(type(shared).__name__)
    return call(shared) if call else shared.try_acquire()


def fork_in_c():
    """A fork that Python does not see."""
    return ctypes.PyDLL(None).fork()


def in_child(body, fork=os.fork):
    """What `body` returned in a forked child, or how its exception reads."""
    readable, writable = os.pipe()
    sys.stdout.flush()
    child = fork()
    if child == 0:
        try:
            said = repr(body())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writable, said.encode())
        os._exit(0)
    os.close(writable)
    with open(readable, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    return said


def script(text, *args, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text), *args], capture_output=True, text=True, timeout=STUCK, **options
    )


# ---- forks ----


@pytest.mark.parametrize("make", KINDS, ids=IDS)
@pytest.mark.parametrize("fork", [os.fork, fork_in_c], ids=["os.fork", "fork of C"])
def test_a_forked_child_is_a_participant_of_its_own(make, fork):
    shared = make()
    assert in_child(lambda: use(shared), fork) == "True"
    assert shared.recover_dead() == 1  # the child, and not this process
    assert not shared.closed


def test_what_a_child_of_a_child_holds_in_an_arena_and_a_space_comes_back():
    arena, space = lockfree.Arena(1 << 16), lockfree.Space(4096)
    mine, held = arena.alloc(1 << 14), space.mutex("held")
    held.acquire()

    def child():
        inherited = mine.view  # the parent's: it is seen, and not held
        got = [arena.alloc(1 << 14), space.mutex("other").acquire()]
        died = in_child(lambda: (arena.alloc(1 << 14) is not None, space.mutex("third").acquire()), fork_in_c)
        return len(inherited), len(got), died

    assert in_child(child, fork_in_c) == "(16384, 2, '(True, True)')"
    assert arena.recover_dead() + space.recover_dead() == 4
    assert arena.available == (1 << 16) - (1 << 14)
    assert not held.try_acquire()
    for name in ("other", "third"):
        with pytest.raises(lockfree.OwnerDied):
            space.mutex(name).acquire()
    assert mine.release()
    assert arena.available == 1 << 16


@pytest.mark.parametrize("end", ["close", "exit", "nothing"])
def test_a_child_that_never_used_it_gives_back_nothing_of_its_parents(end, shm_name):
    mutex, ring = lockfree.Mutex(name=shm_name), lockfree.MPMCRing(1, 8)
    mutex.acquire()
    ring.reserve()

    def child():
        if end == "close":
            mutex.close()
            ring.close()
        elif end == "exit":
            sys.exit(0)

    in_child(child, fork_in_c)
    other = lockfree.Mutex.attach(shm_name)
    assert not other.try_acquire()
    assert other.recover_dead() == 0
    assert not ring.try_put(b"x")
    mutex.release()
    ring.cancel()
    mutex.unlink()


def test_a_hook_that_was_registered_before_the_import_can_use_it():
    done = script("""
        import os
        mutex = None
        def hook():
            mutex.acquire()
            print("taken in the child", flush=True)
        os.register_at_fork(after_in_child=hook)
        import lockfree
        mutex = lockfree.Mutex()
        child = os.fork()
        if child == 0:
            mutex.release()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(mutex.acquire(timeout=1))
    """)
    assert done.stdout.split("\n")[:2] == ["taken in the child", "True"], done.stderr


@pytest.mark.parametrize("heir", ["a child", "a program", "a spawned child that stands still"])
def test_nobody_hides_the_death_of_a_holder(heir):
    mutex = lockfree.Mutex()
    readable, writable = os.pipe()
    holder = os.fork()
    if holder == 0:
        mutex.acquire()
        if heir == "a child":
            pid = os.fork() or (time.sleep(60), os._exit(0))
        elif heir == "a program":
            pid = subprocess.Popen(["sleep", "60"], pass_fds=[mutex._h.h.fd]).pid
        else:
            process = get_context("spawn").Process(target=use, args=(mutex,))
            process.start()
            pid = process.pid
            os.kill(pid, signal.SIGSTOP)
        os.write(writable, str(pid).encode())
        os._exit(0)
    os.waitpid(holder, 0)
    pid = int(os.read(readable, 20))
    try:
        with pytest.raises(lockfree.OwnerDied):
            mutex.acquire(timeout=30)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(readable)
        os.close(writable)


def test_posix_spawn_and_exec_take_nothing_along():
    mutex = lockfree.Mutex()
    mutex.acquire()
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    assert in_child(mutex.try_acquire) == "False"
    mutex.release()
    child = os.fork()
    if child == 0:
        mutex.acquire()
        os.execv("/bin/sleep", ["sleep", "60"])
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if mutex.acquire(timeout=0.05):  # before the child had it
                    mutex.release()
            except lockfree.OwnerDied:
                break
        else:
            pytest.fail("a program that has replaced the holder counts as the holder")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


# ---- descriptors ----

DAEMON = """
    import os, sys, lockfree
    named = sys.argv[1] == "named"
    mutex = lockfree.Mutex(name=sys.argv[2] if named else None)
    readable, writable = os.pipe()
    holder = os.fork()
    if holder == 0:
        mutex.acquire()
        os.write(writable, b"x")
        import time; time.sleep(1.5)
        mutex.release()
        os._exit(0)
    os.read(readable, 1)
    os.closerange(3, 256)
    logs = [open(f"{sys.argv[3]}/log{i}", "w+b") for i in range(20 if sys.argv[4] == "reused" else 0)]
    for log in logs:
        log.truncate(1 << 20)
    print(mutex.acquire(timeout=0.2), mutex.acquire(timeout=30))
    mutex.release()
    os.waitpid(holder, 0)
    dead = os.fork()
    if dead == 0:
        mutex.acquire()
        os._exit(0)
    os.waitpid(dead, 0)
    try:
        mutex.acquire(timeout=30)
    except lockfree.OwnerDied:
        print("OwnerDied")
    mutex.recover()
    mutex.close()
    print(all(not any(log.read()) and not log.write(b"") for log in logs))
"""


@pytest.mark.parametrize("number", ["closed", "reused"])
@pytest.mark.parametrize("kind", ["named", "anonymous"])
def test_a_daemon_that_has_closed_every_descriptor(kind, number, tmp_path, shm_name):
    done = script(DAEMON, kind, shm_name, str(tmp_path), number)
    if kind == "named":
        lockfree.Mutex.attach(shm_name).unlink()
    assert done.stdout.split() == ["False", "True", "OwnerDied", "True"], done.stderr


@pytest.mark.parametrize("kind", ["named", "anonymous"])
@pytest.mark.parametrize("make", KINDS, ids=IDS)
def test_every_kind_goes_on_when_its_descriptor_is_another_files(make, kind, tmp_path, shm_name):
    shared = make(name=shm_name if kind == "named" else None)
    number = shared._h.h.fd
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    os.dup2(log, number)
    try:
        assert in_child(lambda: use(shared)) == "True"
        assert shared.recover_dead() == 1
        try:
            assert use(shared)
        except (lockfree.OwnerDied, threading.BrokenBarrierError):
            pass  # it says that somebody died
        if kind == "named":
            pickle.loads(pickle.dumps(shared)).close()
            shared.unlink()
        shared.close()
        assert os.fstat(number).st_ino == os.fstat(log).st_ino
        assert os.fstat(log).st_size == 0
    finally:
        os.close(number)
        os.close(log)


def test_a_descriptor_of_the_same_file_that_only_reads_is_the_program_s(shm_name):
    """As that of a tool that copies /dev/shm, opened after the program has closed all descriptors."""
    arena = lockfree.Arena(1 << 16, name=shm_name)
    number = arena._h.h.fd
    tool = os.open(f"/dev/shm/lockfree.{shm_name}", os.O_RDONLY)
    os.dup2(tool, number)
    try:
        assert arena.alloc(100).release()
        assert [peer.pid for peer in arena.peers()] == [os.getpid()]
        arena.unlink()
        arena.close()
        assert os.fstat(number).st_ino == os.fstat(tool).st_ino
    finally:
        os.close(number)
        os.close(tool)


def test_an_arena_maps_its_own_pages_when_its_descriptor_is_another_files(tmp_path):
    """A block of scattered pages is mapped through the file."""
    arena = lockfree.Arena(8 * 4096)
    blocks = [arena.alloc(4096) for _ in range(8)]
    del blocks[::2]
    number = arena._h.h.fd
    with open(tmp_path / "log", "w+b") as log:
        log.write(b"log" * 9000)
        log.flush()
        os.dup2(log.fileno(), number)
        scattered = arena.alloc(4 * 4096)
        scattered.array()[:] = 7
        assert arena.stats()["largest"] == 0
        other = arena.open_block(scattered.handle())
        assert (other.array() == 7).all()
        assert log.seek(0) == 0
        assert log.read() == b"log" * 9000
        del scattered, other
        arena.close()
        assert os.fstat(number).st_ino == os.fstat(log.fileno()).st_ino
        os.close(number)


def test_it_is_handed_over_after_its_descriptor_was_closed(shm_name):
    done = script(
        """
        import os, sys, lockfree, multiprocessing
        def child(ring):
            ring.put(b"from the child")
        if __name__ == "__main__":
            ring = lockfree.MPMCRing(4, 16, name=sys.argv[1])
            os.close(ring._h.h.fd)
            other = open("/dev/null")
            copy = multiprocessing.reduction.ForkingPickler.loads(multiprocessing.reduction.ForkingPickler.dumps(ring))
            copy.put(b"a copy")
            print(ring.get(timeout=10))
            ring.unlink()
        """,
        shm_name,
    )
    assert done.stdout.strip() == "b'a copy'", done.stderr


def test_the_standard_descriptors_stay_free(shm_name):
    done = script(
        """
        import os, sys, lockfree
        os.close(0); os.close(1)
        a = lockfree.Mutex(name=sys.argv[1])
        b = lockfree.Mutex.attach(sys.argv[1])
        c = lockfree.MPMCRing(2, 8)
        a.unlink()
        os.write(2, repr([x._h.h.fd > 2 for x in (a, b, c)]).encode())
        """,
        shm_name,
    )
    assert done.stderr == "[True, True, True]"


# ---- why one cannot join ----


@pytest.mark.parametrize("make", KINDS, ids=IDS)
def test_a_child_without_descriptors_says_why_and_joins_later(make):
    shared = make()

    def child():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        os.close(next_one := os.dup(0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (next_one, hard))
        with pytest.raises(OSError, match=f"Too many open files.*{type(shared).__name__}") as refused:
            use(shared)
        assert refused.value.errno == errno.EMFILE
        assert "ulimit -n" in str(refused.value)
        calls = [shared.recover_dead, shared.peers, shared.stats]
        if hasattr(shared, "fileno") and type(shared).__name__ != "RLock":
            calls.append(shared.fileno)
        for call in calls:
            with pytest.raises(OSError, match="Too many open files.*ulimit -n"):
                call()
        assert not shared.closed
        assert type(shared).__name__ in repr(shared)
        looks = {"BroadcastRing": ("joined", "writer"), "BlockPool": ("lease",), "Space": ("left",)}
        for name in looks.get(type(shared).__name__, ()):
            with pytest.raises(OSError, match="Too many open files"):
                getattr(shared, name)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return use(shared)

    assert in_child(child) == "True"
    assert shared.recover_dead() == 1


@pytest.mark.parametrize("make", KINDS, ids=IDS)
def test_a_process_that_may_make_no_large_files_is_told_so(make):
    def child():
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        make()

    said = in_child(child)
    assert said.startswith("OSError: [Errno 27]"), said
    assert "ulimit -f" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_child_that_became_another_user_says_why():
    mutex = lockfree.Mutex()

    def child():
        os.setgid(65534)
        os.setuid(65534)
        mutex.try_acquire()

    said = in_child(child)
    assert said.startswith("PermissionError"), said
    assert "a forked child joins" in said
    assert "use the object once before you change the user" in said
    assert mutex.try_acquire()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_child_that_has_joined_may_become_another_user():
    ring = lockfree.MPMCRing(4, 8)

    def child():
        ring.put(b"before")
        os.setgid(65534)
        os.setuid(65534)
        ring.put(b"after")
        return "put"

    assert in_child(child) == "'put'"
    assert (ring.get(), ring.get()) == (b"before", b"after")


def test_without_proc_it_says_what_it_needs():
    text = """
        import lockfree
        for name in (None, "no-proc"):
            try:
                lockfree.Mutex(name=name)
            except OSError as error:
                print(error)
    """
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            'umount -l /proc && while umount -l /proc 2>/dev/null; do :; done; exec "$@"',
            "sh",
            sys.executable,
            "-c",
            textwrap.dedent(text),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare" in done.stderr or "umount" in done.stderr:
        pytest.skip("this user cannot take /proc away")
    assert done.stdout.count("it needs /proc, which is not mounted here") == 2, done.stdout + done.stderr
    assert not Path("/dev/shm/lockfree.no-proc").exists()


SHM = {
    # what is done to /dev/shm, and how a name that is to be created is refused
    "not there": ("umount /dev/shm; mount -t tmpfs tmpfs /dev", "No such file or directory; .*, which is not there"),
    "read-only": ("mount -t tmpfs -o ro tmpfs /dev/shm", "Read-only file system; .*, where nobody may write"),
    "another user's": (
        "mount -t tmpfs -o mode=700 tmpfs /dev/shm",
        "Permission denied; .*, and this user may not write",
    ),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize(("mount", "said"), SHM.values(), ids=SHM)
def test_a_new_name_says_what_is_wrong_with_dev_shm(mount, said):
    """And an object without a name needs none."""
    text = """
        import lockfree, os
        mutex, ring = lockfree.Mutex, lockfree.MPMCRing  # loaded as the user that may read them
        os.setgid(65534); os.setuid(65534)
        print(mutex().try_acquire())
        for make in (lambda: mutex(name="no"), lambda: ring(4, 8, name="no")):
            try:
                make()
            except OSError as error:
                print(error)
    """
    command = [
        "unshare",
        "-m",
        "sh",
        "-c",
        f'({mount}) && exec "$@"',
        "sh",
        sys.executable,
        "-c",
        textwrap.dedent(text),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=STUCK)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("this user cannot mount a file system of its own")
    first, *lines = done.stdout.splitlines()
    assert first == "True", done.stderr
    assert len(lines) == 2, done.stderr
    for line in lines:
        assert re.search(f"{said}.*a new file in /dev/shm", line), line


def test_a_thousand_processes_use_one_object():
    semaphore = lockfree.Semaphore(2000)
    readable, writable = os.pipe()
    go, gone = os.pipe()
    children = []
    for _ in range(1000):
        child = os.fork()
        if child == 0:
            os.close(gone)
            try:
                said = b"1" if semaphore.acquire(timeout=30) else b"0"
            except BaseException:
                said = b"E"
            os.write(writable, said)
            os.read(go, 1)
            os._exit(0)
        children.append(child)
    try:
        said = b""
        while len(said) < 1000:
            said += os.read(readable, 1000)
        assert said == b"1" * 1000
        assert semaphore.value == 1000
    finally:
        for fd in (readable, writable, go, gone):
            os.close(fd)
        for child in children:
            os.waitpid(child, 0)
    assert semaphore.recover_dead() == 1000
    assert semaphore.value == 2000


# ---- the machine's limits ----


@pytest.fixture
def in_a_group_of_its_own():
    """Runs Python text in a control group that may use so many MiB."""
    version_1, version_2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    root, limit = (version_1, "memory.limit_in_bytes") if version_1.is_dir() else (version_2, "memory.max")
    group = root / f"lockfree-test-{os.getpid()}"

    def run(code, mebibytes):
        try:
            group.mkdir()
            (group / limit).write_text(str(mebibytes << 20))
        except OSError as error:
            pytest.skip(f"no control group of one's own here: {error}")
        join = f'echo $$ > {group}/cgroup.procs && exec "$@"'
        command = ["sh", "-c", join, "sh", sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, timeout=STUCK)

    yield run
    for _ in range(100):
        try:
            group.exists() and group.rmdir()
            break
        except OSError:
            time.sleep(0.05)


def test_a_full_control_group_is_an_error_and_not_a_kill(in_a_group_of_its_own):
    done = in_a_group_of_its_own("import lockfree; lockfree.MPMCRing(1024, 300 * 1024)", 100)
    assert done.returncode == 1, done
    assert "OSError" in done.stderr
    assert "Cannot allocate memory" in done.stderr


FILLS = """
import errno, os, lockfree
arena = lockfree.Arena(1 << 30, max_blocks=1 << 16)

def fill(size):
    blocks = []
    try:
        while True:
            blocks.append(arena.alloc(size))
            blocks[-1].view[:1] = b"x"
    except OSError:
        pass
    for _ in range(1000):  # small ones would go on into what is left to others
        try:
            blocks.append(arena.alloc(size))
        except OSError as error:
            if error.errno != errno.ENOMEM:
                return 1
    return 0

for size in (4096, 60_000, 300_000, 3_000_000):
    pid = os.fork()
    if pid == 0:
        os._exit(fill(size))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    arena.close()
    arena = lockfree.Arena(1 << 30, max_blocks=1 << 16)
"""


def test_blocks_that_fill_a_control_group_are_an_error_and_not_a_kill(in_a_group_of_its_own):
    """Also small ones, for which the limits are not read each time."""
    done = in_a_group_of_its_own(FILLS, 64)
    assert (done.returncode, done.stdout) == (0, "0\n" * 4), done


RACES = """
import errno, gc, lockfree, os
arena = lockfree.Arena(1 << 30, max_blocks=1 << 16)
there, ready = os.pipe()
wait, go = os.pipe()

def fill():
    blocks = [arena.alloc(4096)]
    blocks[0].view[:1] = b"x"
    gc.collect()  # a forked child copies what it writes to: that is not the arena's, so it is done before
    own = [bytes(100) for _ in range(10_000)]
    for i in range(1000):
        own[i] = OSError(errno.ENOMEM, str(i))
    os.write(ready, b"x")
    os.close(go)
    os.read(wait, 1)
    refused = 0
    while refused < 100:
        try:
            blocks.append(arena.alloc(300_000))
            blocks[-1].view[:1] = b"x"
        except OSError as error:
            if error.errno != errno.ENOMEM:
                return 1
            refused += 1
    return 0

children = []
for _ in range(16):
    pid = os.fork()
    if pid == 0:
        os._exit(fill())
    children.append(pid)
count = 0
while count < len(children):
    count += len(os.read(there, 100))
os.close(go)
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])
"""


def test_processes_that_fill_a_control_group_together_get_an_error_and_no_kill(in_a_group_of_its_own):
    """More processes than processors: most lose theirs in the middle of taking memory, long after their look."""
    done = in_a_group_of_its_own(RACES, 200)
    assert (done.returncode, done.stdout) == (0, f"{[0] * 16}\n"), done


# ---- bounded pauses ----


def longest_pause_of_another_thread(call):
    """How long another thread of Python stands still while `call` runs, in switches it got: (result, switches, seconds)."""
    switches, over = [0], threading.Event()

    def count():
        while not over.is_set():
            switches[0] += 1
            time.sleep(0.0001)

    other = threading.Thread(target=count)
    other.start()
    before, began = switches[0], time.perf_counter()
    result = call()
    after, took = switches[0], time.perf_counter() - began
    over.set()
    other.join()
    return result, after - before, took


def test_one_call_does_a_piece_of_a_recovery_and_the_rest_comes_later():
    ring = lockfree.MPMCRing(1 << 20, 8)
    child = os.fork()
    if child == 0:
        ring.reserve()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    looks = 0
    while ring._h.h.segment.participants[2].in_use:
        assert ring.try_get() is None  # each refusal does a piece
        looks += 1
        assert looks < 100_000
    assert looks > 1, "a million slots in one call"
    assert ring.recover_dead() == 0


@pytest.mark.skipif(PURE, reason="without the C types a copy keeps the GIL, however long it is")
def test_what_takes_long_gives_the_gil_up():
    ring = lockfree.MPMCRing(2, 64 << 20)
    record = bytes(64 << 20)
    _, switches, took = longest_pause_of_another_thread(lambda: ring.try_put(record))
    if took > 0.005:
        assert switches > 0, f"another thread stood still for {took * 1000:.0f} ms"
    got, switches, took = longest_pause_of_another_thread(ring.try_get)
    assert got == record
    if took > 0.005:
        assert switches > 0, f"another thread stood still for {took * 1000:.0f} ms"
    _, switches, took = longest_pause_of_another_thread(lambda: ring.put_many([record]))
    if took > 0.02:
        assert switches > 1, f"another thread stood still for {took * 1000:.0f} ms"


LONG = 8 << 20


def a_put_of_no_bytes_object(made):
    record = bytearray(LONG)
    return lambda: made.put(record), made.get


def a_put_of_an_array(made, put="put"):
    array = memoryview(bytearray(LONG)).cast("d")
    return lambda: getattr(made, put)(array), made.get


def a_peek(made):
    def again():
        made.release()
        made.put(bytes(LONG))

    made.put(bytes(LONG))
    return made.peek, again


def what_ends_a_window(of):
    """What `of(ring)` names, with a large record in hand of whose view an array is kept."""
    ring = lockfree.MPMCRing(2, LONG)
    kept = []

    def again():
        ring.get_many(1)
        take()

    def take():
        kept[:] = [memoryview(ring.reserve()).cast("d")]

    take()
    return of(ring), again


def the_end_of_what_is_kept(is_closed):
    kept = []

    def again():
        ring = lockfree.MPMCRing(2, LONG)
        kept[:] = [memoryview(ring.reserve()).cast("d")]
        ring.close() if is_closed else ring.cancel()

    again()
    return kept.clear, again


def joined(made):
    made.join()
    return made


def an_iterator_in_c(made):
    return lambda: made.put_many(iter([b"message"] * 60_000)), made.get_many


def cargo():
    queue = lockfree.Queue(4, arena=lockfree.Arena(4 * LONG))
    array = memoryview(bytearray(LONG))
    return lambda: queue.put(array), queue.get


ROW = ("f8", (LONG // 8,))
LONG_CALLS = {
    # a call, and what makes it possible again
    "MPMCRing.put of a bytearray": lambda: a_put_of_no_bytes_object(lockfree.MPMCRing(2, LONG)),
    "MPMCRing.put of a dtype": lambda: a_put_of_an_array(lockfree.MPMCRing(2, dtype=ROW)),
    "LatestValue.set of a dtype": lambda: a_put_of_an_array(lockfree.LatestValue(dtype=ROW), "set"),
    "MessageRing.put of a bytearray": lambda: a_put_of_no_bytes_object(lockfree.MessageRing(2 * LONG, 4096)),
    "MessageRing.peek": lambda: a_peek(lockfree.MessageRing(4 * LONG, 4096)),
    "BroadcastRing.peek of a copy": lambda: a_peek(joined(lockfree.BroadcastRing(4 * LONG, 1, slow="overwrite"))),
    "Queue.put through an arena": cargo,
    "MPMCRing.commit with an array of the view": lambda: what_ends_a_window(lambda ring: ring.commit),
    "MPMCRing.cancel with an array of the view": lambda: what_ends_a_window(lambda ring: ring.cancel),
    "the end of an array of a record that has left the hand": lambda: the_end_of_what_is_kept(False),
    "the end of an array of a record whose ring is closed": lambda: the_end_of_what_is_kept(True),
    "MessageRing.put_many of an iterator": lambda: an_iterator_in_c(lockfree.MessageRing(1 << 23, 64)),
    "BroadcastRing.put_many of an iterator": lambda: an_iterator_in_c(joined(lockfree.BroadcastRing(1 << 22, 1))),
}


def turns_of_another_thread(call):
    """How often another thread ran within call(). Nobody is asked to give the GIL up: what it gets, the call gave."""
    turns, over, runs = [0], threading.Event(), threading.Event()

    def count():
        while not over.is_set():
            turns[0] += 1
            runs.set()
            time.sleep(0)

    other = threading.Thread(target=count)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        other.start()
        runs.wait()
        before = turns[0]
        call()
        return turns[0] - before
    finally:
        over.set()
        sys.setswitchinterval(interval)
        other.join()


@pytest.mark.skipif(PURE, reason="without the C types a copy keeps the GIL, however long it is")
@pytest.mark.parametrize("make", LONG_CALLS.values(), ids=LONG_CALLS)
def test_a_long_call_gives_the_gil_up(make):
    call, again = make()
    for _ in range(1000):  # on a busy machine the other thread does not run as soon as it may
        if turns_of_another_thread(call):
            break
        again()
    else:
        pytest.fail("another thread stood still in each of them")


@pytest.mark.skipif(PURE, reason="without the C types a buffer becomes a bytes object first")
@pytest.mark.parametrize("kind", [lockfree.SPSCRing, lockfree.MPMCRing, lockfree.PriorityQueue, lockfree.MessageRing])
def test_a_long_buffer_goes_in_without_a_copy_in_between(kind):
    """To free such a copy would keep the GIL as long as the kernel unmaps it."""
    made = lockfree.MessageRing(2 * LONG, 4096) if kind is lockfree.MessageRing else kind(2, LONG)
    record = bytearray(b"record" * (LONG // 6))
    put = functools.partial(made.put, record, *[0] * (kind is lockfree.PriorityQueue))
    tracemalloc.start()
    try:
        put()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < LONG // 2
    got = made.get()
    assert (got[1] if kind is lockfree.PriorityQueue else got) == record


def test_a_call_that_keeps_the_gil_is_convicted():
    data = bytearray(LONG)
    assert turns_of_another_thread(lambda: bytes(data)) == 0


MANY = 200_000
BATCHES = {
    # what holds many, one call that takes very many of them, and what may go in again
    "MPMCRing.get_many": lambda: full_ring(lockfree.MPMCRing(MANY, 16)),
    "MPMCRing.get_many of a dtype": lambda: full_ring(lockfree.MPMCRing(MANY, dtype="f8"), 1.5),
    "PriorityQueue.get_many": lambda: full_ring(PriorityQueue(MANY, 16), b"record", 1),
    "MessageRing.get_many": lambda: full_ring(lockfree.MessageRing(MANY * 64, 64)),
    "BlockPool.references": lambda: all_blocks(lockfree.BlockPool(MANY)),
}


def all_blocks(pool):
    blocks = pool.alloc(MANY).tolist()
    return lambda: pool.references(blocks)


def full_ring(ring, record=b"record", *priority):
    assert ring.put_many([record] * MANY, *priority) == MANY
    return lambda: ring.get_many(MANY)


@pytest.mark.parametrize("make", BATCHES.values(), ids=BATCHES)
def test_a_call_of_very_many_items_gives_others_their_turns(make):
    call = make()
    found, switches, took = longest_pause_of_another_thread(call)
    assert len(found) == MANY
    if took > 0.04:
        assert switches > 1, f"another thread stood still for {took * 1000:.0f} ms"


LOOKS = {
    "BlockPool.peers": lambda: lockfree.BlockPool(1 << 22).peers,
    "BlockPool.stats": lambda: lockfree.BlockPool(1 << 22).stats,
    "Arena.stats": lambda: lockfree.Arena(1 << 36, max_blocks=1024).stats,
}


@pytest.mark.parametrize("make", LOOKS.values(), ids=LOOKS)
def test_a_look_at_all_that_is_there_lets_others_run(make):
    _, switches, took = longest_pause_of_another_thread(make())
    if took > 0.02:
        assert switches > 1, f"another thread stood still for {took * 1000:.0f} ms"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_full_memory_file_system_is_an_error_and_leaves_nothing():
    """Also where a participant's place has no memory yet: no SIGBUS, and what is there goes on."""
    text = """
        import os, lockfree
        mutex = lockfree.Mutex(name="there")
        with open("/dev/shm/fill", "wb", buffering=0) as fill:
            try:
                while fill.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
        more = []
        for make in (lambda: lockfree.MPMCRing(4, 8, name="no"), lambda: more.append(lockfree.Mutex.attach("there"))):
            try:
                for _ in range(4095):
                    make()
            except OSError as error:
                print(error)
        print(mutex.acquire(timeout=1), mutex.release(), mutex.recover_dead(), len(mutex.peers()) == len(more) + 1)
        print(sorted(os.listdir("/dev/shm")))
        os.unlink("/dev/shm/fill")
        print(lockfree.Mutex.attach("there").acquire(timeout=1))
    """
    mount = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", mount, "sh", sys.executable, "-c", textwrap.dedent(text)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=STUCK)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("this user cannot mount a file system of its own")
    full = (
        "No space left on device; the memory file system is full, and `lockfree gc` removes segments that nobody uses"
    )
    lines = done.stdout.splitlines()
    assert full in lines[0], done.stderr
    assert "taking memory for the segment" in lines[0]
    assert full in lines[1]
    assert "taking memory for a participant" in lines[1]
    assert lines[2:] == ["True None 0 True", "['fill', 'lockfree.there']", "True"]


WITHOUT_STANDARD = """
import multiprocessing, os, sys, lockfree
said = os.dup(1)
name, closed = sys.argv[1], [int(n) for n in sys.argv[2:]]
here, there = multiprocessing.Pipe()
kept = [lockfree.MPMCRing(4, 8)]
for number in closed:
    os.close(number)
def is_free(number):
    try:
        return "socket" in os.readlink(f"/proc/self/fd/{number}")  # one that multiprocessing listens on
    except FileNotFoundError:
        return True
def look(what):
    if taken := [number for number in closed if not is_free(number)]:
        os.write(said, f"{what} took {taken}\\n".encode())
for make in (lambda: lockfree.Mutex(name=name), lambda: lockfree.Mutex.attach(name), lambda: lockfree.Arena(1 << 20),
             lambda: lockfree.Space(1 << 12), lambda: lockfree.Event()):
    kept.append(make())
    look("making")
kept[-1].fileno()
look("a descriptor for polling")
kept[0].peers()
look("peers")
here.send(kept[0])
look("sending")
kept.append(there.recv())
look("receiving")
kept[1].unlink()
os.write(said, b"done\\n")
"""


@pytest.mark.parametrize("closed", [(0,), (0, 1), (0, 1, 2), (2,), (0, 2)], ids=str)
def test_no_call_takes_a_standard_descriptor(closed, shm_name):
    """Else a library's warning, which goes to 2, would go into the segment."""
    command = [sys.executable, "-c", WITHOUT_STANDARD, shm_name, *map(str, closed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=STUCK)
    assert done.stdout == "done\n", done
