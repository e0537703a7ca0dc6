"""Descriptors of objects, for programs that poll: select, poll, epoll, `add_reader` of any event loop.

One thread for the whole process sleeps for all objects that are armed (_sleeping.py). It makes descriptors readable.
"""

import os
import threading
from contextlib import suppress
from typing import Any, cast

from lockfree._errors import refusal
from lockfree._native import ffi, lib
from lockfree._sleeping import TO_GET, Sleeper, Waiting


class Descriptor:
    """An object's, in one process. `armed`: what the thread sleeps for; None: the descriptor is readable."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        own = ffi.gc(ffi.new("uint64_t[3]", (2**64 - 1, 0, 0)), lib.lf_py_descriptor_end)
        if error := lib.lf_py_descriptor_begin(own):
            raise OSError(error, os.strerror(error))
        self.fd, self.identity = int(own[0]), (int(own[1]), int(own[2]))
        self.end = own  # closed in C, with this object: no Python code runs there
        self.lock = threading.RLock()
        self.armed: _Armed | None = None
        self.fresh = True  # nobody has armed it yet
        self.is_early = False  # readable although it is armed
        self.signal()

    def is_here(self) -> bool:
        """Whether the number still stands for the pipe: programs close what is not theirs."""
        return _identity(self.fd) == self.identity

    def signal(self) -> None:
        if self.is_here():
            with suppress(BlockingIOError):  # it is full: readable
                os.write(self.fd, b"1")

    def clear(self) -> None:
        with suppress(BlockingIOError):
            while len(os.read(self.fd, 4096)) == 4096:
                pass

    def arm(self, shared: Any) -> bool:
        if _one_at_a_time._is_owned():
            # A signal handler, while this thread is in fileno() or arm() of any object. It takes no lock: a thread that
            # has one may wait for another one that this thread has. It is readable, without reason, until it is armed.
            self.is_early = True
            self.signal()
            return True
        with _one_at_a_time, self.lock:
            if self.armed is not None:
                if self.is_early:
                    self.is_early = False
                    self.clear()
                return True
            self.is_early = False
            self.clear()
            armed = None
            try:
                armed = _Armed(_poller(), shared, TO_GET)
                armed.descriptor = self
                armed.announce()
                if not shared._would_not_wait():
                    self.armed = armed
                    return True
                return False
            finally:
                if self.armed is None:
                    self.signal()
                    if armed is not None:
                        armed.end()


class _Armed(Waiting):
    """From arm() on until the descriptor is readable."""

    descriptor: Descriptor

    def end(self) -> None:
        self.retract()
        self.sleeper.let_go(self)

    def woken(self) -> None:
        """In the thread: its word has changed, or it is time for a look."""
        with self.descriptor.lock:
            if self.descriptor.armed is not self:
                return
            if not self.is_ready():
                self.announce()
                if not self.is_ready():
                    return
            self.retract()
            lib.lf_watch_pass_on(self.watch)  # the wake may have been meant for a call that takes
            self.make_readable()

    def given_up(self) -> None:
        with self.descriptor.lock:
            if self.descriptor.armed is self:
                self.make_readable()

    def make_readable(self) -> None:
        """It is armed no more. The caller has the descriptor's lock."""
        self.descriptor.armed = None
        self.descriptor.signal()
        self.end()

    def is_ready(self) -> bool:
        return self.is_ready_to_get()

    is_worth_a_try = is_ready


class _Poller(Sleeper):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[_Armed] = []

    def _tell(self, hit: list[_Armed]) -> bool:
        self.told = hit
        while hit:
            hit[-1].woken()
            hit.pop()
        return True

    def _run(self) -> None:
        try:
            super()._run()
        except BaseException:  # the one that polls tries, and arms again: that starts another thread
            with self.lock:
                left = [*self.told, *cast("dict[_Armed, None]", self.sleeping)]
            for armed in left:
                armed.given_up()
            raise


_pollers: dict[int, _Poller] = {}
_one_at_a_time: Any = threading.RLock()  # before that of a descriptor, and that before that of the thread
os.register_at_fork(after_in_child=lambda: globals().update(_pollers={}, _one_at_a_time=threading.RLock()))


def _poller() -> _Poller:
    return _pollers.setdefault(os.getpid(), _Poller())


def descriptor_of(shared: Any) -> Descriptor:
    """The object's descriptor in this process; a new one in a forked child."""
    pid = os.getpid()
    with _one_at_a_time:
        made: dict[int, Descriptor] = vars(shared).setdefault("_descriptors", {})
        if (found := made.get(pid)) is None:
            try:
                new = Descriptor()
            except OSError as error:
                raise refusal(error, shared._title(), "a descriptor for polling, by /proc") from None
            found = made.setdefault(pid, new)  # a signal handler of this thread may have made the first one meanwhile
            for other in [of for of in made if of != pid]:
                made.pop(other, None)
        return found


def _identity(fd: int) -> tuple[int, int] | None:
    """Device and inode; None if nothing is open there."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino
