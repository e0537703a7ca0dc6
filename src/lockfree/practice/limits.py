"""Runs a learner's program in a session of its own, with limits and without a network."""

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000


@dataclass(frozen=True)
class Limits:
    """seconds: of CPU time. memory, file: bytes."""

    seconds: float
    memory: int = 4 << 30
    file: int = 16 << 20


def _restrict(limits: Limits) -> None:
    """In the child, before it becomes the program."""
    cpu = max(1, round(limits.seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file, limits.file))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNET) != 0:  # without the right to: in a user namespace, where that is allowed
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


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


def ended(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"it ended by itself, with status {status}"
    number = -status
    name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
    reasons = {"SIGXCPU": ", the limit on CPU time", "SIGSEGV": ", a crash", "SIGXFSZ": ", the limit on file sizes"}
    return f"it was ended by {name}{reasons.get(name, '')}"
