"""What the rings of messages of variable length have in common."""

import queue
from array import array
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

from lockfree._errors import FULL, LockfreeError, shown
from lockfree._native import bytes_of, ffi
from lockfree._peers import Conveyor
from lockfree._records import buffer_of, bytes_like, refuse_pointers, tell
from lockfree._segment import check_int
from lockfree._types import Chosen
from lockfree._waiting import patience, until

MANY = 4096
KIND = "it must be a sequence of messages"


def as_bytes(message: Any, what: str) -> bytes:
    """A bytes-like message as bytes, or TypeError."""
    if type(message) is bytes:
        return message
    view = bytes_like(what, message)
    refuse_pointers(what, view)
    return bytes_of(view)


def packed(ring: "Putting", messages: Any) -> tuple[bytes, bytes] | None:
    """The messages of a sequence, one after the other, and their lengths as uint32; None if it is an iterator, or has
    no length.

    TypeError for what is one message, or none. ValueError if one is longer than the ring takes.
    """
    rows = _rows(messages)
    if rows is None:
        try:
            walk = iter(messages)
        except TypeError:
            raise TypeError(f"messages is of type {type(messages).__name__}: {KIND}") from None
        if walk is messages or not hasattr(type(messages), "__len__"):
            return None  # it need not have an end
        rows = [as_bytes(message, ring._what(position)) for position, message in enumerate(tuple(walk))]
    for position, data in enumerate(rows):
        if len(data) > ring.max_message:
            ring._too_long(len(data), position)
    parts = [rows[at : at + MANY] for at in range(0, len(rows), MANY)]  # in pieces: other threads get their turns
    lengths = [array("I", map(len, part)).tobytes() for part in parts]
    return b"".join([b"".join(part) for part in parts]), b"".join(lengths)


def _rows(messages: Any) -> list[bytes] | None:
    """The rows of a buffer of two dimensions; None if it is no buffer."""
    if isinstance(messages, (list, tuple)):
        return None
    if isinstance(messages, str):
        raise TypeError(f"messages is one str: {KIND}")
    view = buffer_of("messages", messages)
    if view is None:
        return None
    refuse_pointers("messages", view)
    if view.ndim != 2:
        raise TypeError(f"messages is one {type(messages).__name__}: {KIND}, or a 2-D buffer")
    data, count = bytes_of(view), len(view)
    size = len(data) // count if count else 0
    return [data[row * size : (row + 1) * size] for row in range(count)]


class Taking(Conveyor):
    """get_nowait and get_many, for rings of messages. The C types do the same (_native/common/take_messages.h)."""

    def _take(self, wait: int) -> bytes | None:
        """The next message, waiting at most `wait` ns; None if there is none."""
        raise NotImplementedError

    def get(self, block: bool = True, timeout: float | None = None) -> bytes:
        """The next message, as bytes."""
        raise NotImplementedError

    def get_nowait(self) -> bytes:
        """`get(block=False)`."""
        return self.get(False)

    def get_many(self, n: int | None = None, block: bool = False, timeout: float | None = None) -> list[bytes]:
        """Up to `n` messages (None: all that are there). With `block` it waits for the first one."""
        # what was taken is the answer, also if a later take fails
        wait, most = patience(block, timeout), 2**63 if n is None else check_int("n", n, 0, 2**63 - 1)
        messages: list[bytes] = []
        try:
            while len(messages) < most:
                message = self._take(0 if messages else wait)
                if message is None:
                    break
                messages.append(message)
        except LockfreeError:
            if not messages:
                raise
        if wait and most and not messages:
            raise queue.Empty(self._title())
        return messages


class Putting(Conveyor):
    """put_many, for rings of messages. The C types do the same (_native/common/put_messages.h).

    A ring names its C functions, and says how one message is put and what a refusal raises. `to`: for whom, of the
    broadcast alone.
    """

    _c_put_many: ClassVar[Any]
    _c_reserve: ClassVar[Any]
    _b_reserve: ClassVar[Any]

    max_message = Chosen[int]()
    _noun = "ring"
    _bound = ""
    """What limits `max_message`, for errors."""
    _expected = 0
    """Bytes that the next item of an iterator is expected to have."""

    def _pack(self, messages: Any) -> tuple[bytes, bytes] | None:
        """The messages of a sequence, one after the other, and their lengths; None if it is an iterator."""
        raise NotImplementedError

    def _put(self, message: Any, wait: int, *to: int) -> bool:
        """Puts one message, waiting at most `wait` ns; False if there is no room."""
        raise NotImplementedError

    def _raise(self, status: int) -> NoReturn:
        raise NotImplementedError

    def _what(self, position: int | None = None) -> str:
        """What errors call a message, or that at a position of put_many."""
        return "message" if position is None else f"messages[{position}]"

    def _too_long(self, length: int, position: int | None = None) -> NoReturn:
        self._require_open()
        most = f"the {self._noun} takes at most {self.max_message}{self._bound}"
        raise ValueError(f"{self._what(position)} has {length} bytes: {most}")

    def _may_put(self) -> None:
        """Hook: RuntimeError if the calling thread may not put now."""

    def _always_room(self) -> bool:
        return False

    def _unreserve(self, handle: Any, place: int) -> None:
        """Hook: gives back what a look for room has reserved."""

    def _put_many(self, messages: Any, wait: int, *to: int) -> int:
        self._require_open()
        self._may_put()
        batch = self._pack(messages)
        if batch is None:
            return self._put_iterator(iter(messages), wait, *to)
        status = self._put_packed(*batch, wait, *to)
        if status < 0 and (wait or status != FULL):
            self._raise(status)
        return max(status, 0)

    def _put_packed(self, messages: bytes, lengths: bytes, wait: int, *to: int) -> int:
        """How many went in, or a status if none did."""
        done = 0
        if wait and lengths:
            first = int.from_bytes(lengths[:4], "little")
            if not self._put(messages[:first], wait, *to):
                return int(FULL)
            messages, lengths, done = messages[first:], lengths[4:], 1
        array = ffi.from_buffer("uint32_t[]", lengths)
        status = int(self._c_put_many(self._h, messages, array, len(lengths) // 4, *to))
        return max(status, 0) + done if done else status

    def _put_iterator(self, messages: Iterator[Any], wait: int, *to: int) -> int:
        """How many went in. One is taken if there is room for one as long as the one before.

        One that is longer, and has no room, is in the exception.
        """
        length, self._expected, done = self._expected, 0, 0
        while self._has_room(length, 0 if done else wait):
            taken: tuple[Any, ...] = ()
            try:
                taken = (next(messages),)
                data = as_bytes(taken[0], self._what(done))
                if len(data) > self.max_message:
                    self._too_long(len(data), done)
                if not self._put(data, 0 if done else wait, *to):
                    raise queue.Full(f"no room for a message of {len(data)} bytes: {shown(data)}")  # noqa: TRY301
            except BaseException as error:
                if not taken:
                    if isinstance(error, StopIteration):
                        return done
                    raise
                tell(error, taken[0], done)
                raise
            done, length = done + 1, len(data)
        self._expected = length
        return done

    def _has_room(self, length: int, wait: int) -> bool:
        if self._always_room():
            return True
        self._may_put()
        handle = self._h
        place = self._c_reserve(handle, length)
        if place == FULL and wait:
            place = self._until_done(self._b_reserve, handle, length, until(wait))
        if place >= 0:
            self._unreserve(handle, place)
        elif wait or place != FULL:
            self._raise(place)
        return bool(place >= 0)
