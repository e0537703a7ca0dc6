"""What the rings of messages of variable length have in common."""

import queue
from collections.abc import Callable, Iterator
from typing import Any

from lockfree._errors import shown
from lockfree._records import refuse_pointers, tell

KIND = "it must be a sequence of messages"


def as_bytes(message: Any, what: str = "message") -> bytes:
    """A bytes-like message as bytes, or TypeError."""
    if type(message) is bytes:
        return message
    try:
        view = memoryview(message)
    except TypeError:
        raise TypeError(f"{what} is of type {type(message).__name__}: it must be bytes-like") from None
    refuse_pointers(what, view)
    return bytes(view)


def packed(messages: Any, most: int, bound: str = "") -> tuple[bytes, bytes] | None:
    """The messages of a sequence, one after the other, and their lengths as uint32; None if it is an iterator.

    TypeError for what is one message, or none. ValueError if one is longer than `most`.
    """
    rows = _rows(messages)
    if rows is None:
        try:
            walk = iter(messages)
        except TypeError:
            raise TypeError(f"messages is of type {type(messages).__name__}: {KIND}") from None
        if walk is messages:
            return None
        rows = [as_bytes(message, f"messages[{position}]") for position, message in enumerate(tuple(walk))]
    for position, data in enumerate(rows):
        if len(data) > most:
            raise ValueError(f"messages[{position}] has {len(data)} bytes: the ring takes at most {most}{bound}")
    return b"".join(rows), b"".join(len(data).to_bytes(4, "little") for data in rows)


def _rows(messages: Any) -> list[bytes] | None:
    """The rows of a buffer of two dimensions; None if it is no buffer."""
    if isinstance(messages, (list, tuple)):
        return None
    if isinstance(messages, str):
        raise TypeError(f"messages is one str: {KIND}")
    try:
        view = memoryview(messages)
    except TypeError:
        return None
    refuse_pointers("messages", view)
    if view.ndim != 2:
        raise TypeError(f"messages is one {type(messages).__name__}: {KIND}, or a 2-D buffer")
    data, count = view.tobytes(), len(view)
    size = len(data) // count if count else 0
    return [data[row * size : (row + 1) * size] for row in range(count)]


class Putting:
    """put_many of an iterator, for rings of messages. The C types do the same (_native/common/put_messages.h)."""

    _expected = 0
    """Bytes that the next item is expected to have."""

    def _put_items(
        self,
        messages: Iterator[Any],
        put: Callable[[bytes, int], bool],
        has_room: Callable[[int, int], bool],
        wait: int,
    ) -> int:
        """How many went in. One is taken if there is room for one as long as the one before.

        One that is longer, and has no room, is in the exception.
        """
        length, self._expected, done = self._expected, 0, 0
        while has_room(length, 0 if done else wait):
            taken: tuple[Any, ...] = ()
            try:
                taken = (next(messages),)
                data = as_bytes(taken[0])
                if not put(data, 0 if done else wait):
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
