"""What the rings of messages of variable length have in common."""

from typing import Any

from lockfree._records import refuse_pointers


def as_bytes(message: Any) -> bytes:
    """A bytes-like message as bytes, or TypeError."""
    if type(message) is bytes:
        return message
    try:
        view = memoryview(message)
    except TypeError:
        raise TypeError(f"message is of type {type(message).__name__}: it must be bytes-like") from None
    refuse_pointers("message", view)
    return bytes(view)
