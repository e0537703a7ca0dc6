"""Runs a learner's program in a session of its own, with limits and without a network."""

import contextlib
import ctypes
import functools
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lockfree import _running

CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
STILL = 8.0
"""Seconds without CPU time after which a program that sleeps makes no progress."""
MODEL = 16 << 30
"""Bytes of addresses for a client of the model checker, which reserves many and uses few."""
MOST_SAID = 64 << 10
"""Bytes of a program's messages that are kept."""


@dataclass(frozen=True)
class Limits:
    """seconds: of CPU time. memory, file: bytes; memory -1: no limit (sanitizers reserve terabytes)."""

    seconds: float
    memory: int = 4 << 30
    file: int = 16 << 20


def lower(kind: int, soft: int, hard: int) -> None:
    """Sets a limit of this process, within the one that it has already."""
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def _restrict(limits: Limits) -> None:
    """In the child, before it becomes the program."""
    cpu = max(1, round(limits.seconds))
    lower(resource.RLIMIT_CPU, cpu, cpu + 5)
    lower(resource.RLIMIT_CORE, 0, 0)
    lower(resource.RLIMIT_FSIZE, limits.file, limits.file)
    if limits.memory >= 0:
        lower(resource.RLIMIT_AS, limits.memory, limits.memory)
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNET) != 0:  # without the right to: in a user namespace, where that is allowed
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def enclosing(seconds: float) -> Callable[[], None]:
    """The same walls for a client of the model checker. seconds: of CPU time for its search; then it ends by itself."""
    return functools.partial(_restrict, Limits(2 * seconds + 10, memory=MODEL))


@contextlib.contextmanager
def limited(command: Sequence[str], limits: Limits, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process with limits. It and all that it started are gone at the end."""
    process = subprocess.Popen(
        command, start_new_session=True, preexec_fn=lambda: _restrict(limits),  # noqa: PLW1509 - the judge has one thread
        stdout=subprocess.DEVNULL, **{"stderr": subprocess.DEVNULL, **options},
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def used(leader: int) -> float:
    """Seconds of CPU time that the processes of a session have used."""
    return sum(map(_running.used, _running.session(leader)))


def rests(leader: int) -> bool:
    """Whether no process of a session runs or waits for a CPU."""
    return not any(map(_running.ready, _running.session(leader)))


def finish(process: subprocess.Popen[bytes]) -> tuple[str, bool]:
    """Waits for a process; what it wrote to its standard error, and whether it had to be ended without progress."""
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    said = bytearray()
    before, since = -1.0, time.monotonic()
    while process.poll() is None:
        if select.select([process.stderr], [], [], 0.05)[0]:
            more = process.stderr.read(MOST_SAID)
            said += (more or b"")[: MOST_SAID - len(said)]
            if not more:
                time.sleep(0.05)  # closed
        if time.monotonic() - since > 0.5:
            now = used(process.pid)
            if now > before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > STILL and rests(process.pid) and process.poll() is None:
                return bytes(said).decode(errors="replace").strip(), True
    said += process.stderr.read(MOST_SAID) or b""
    return bytes(said[:MOST_SAID]).decode(errors="replace").strip(), False


def ended(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"it ended by itself, with status {status}"
    number = -status
    name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
    reasons = {"SIGXCPU": ", the limit on CPU time", "SIGSEGV": ", a crash", "SIGXFSZ": ", the limit on file sizes"}
    return f"it was ended by {name}{reasons.get(name, '')}"
