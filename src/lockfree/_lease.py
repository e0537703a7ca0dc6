"""`with container.lease() as record` through cffi; the C type does the same (_native/common/lease.h)."""

from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any

from lockfree._container import Container
from lockfree._hands import me
from lockfree._native import lib


class PureLease(AbstractContextManager[Any]):
    """`with container.lease() as record`: the record is acknowledged when the block ends normally."""

    def __init__(self, container: Container[Any], wait: int) -> None:
        container._require_open()
        self._container, self._wait = container, wait
        self._held: tuple[Any, int, int, int] | None = None

    def __enter__(self) -> Any:
        container, handle = self._container, self._container._h
        if self._held is not None:
            text = "this lease has a record already: each `with` block takes a lease of its own"
            raise RuntimeError(f"{container._title()}: {text}")
        slot, level, length = container._take(handle, self._wait, lib.LF_LEASE)
        if slot < 0:
            container._refused(slot, handle)
        self._held = (handle, slot, level, me(handle))
        try:
            record = container._codec.decode(container._copy_out(handle, slot, length))
        except BaseException:
            self._end(acknowledge=False)
            raise
        return (level, record) if container._has_levels else record

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(acknowledge=kind is None)

    def _end(self, acknowledge: bool) -> None:
        container = self._container
        if self._held is None:
            return
        handle, slot, level, taker = self._held
        self._held = None
        if handle.h.closed:
            if acknowledge:
                container._require_open()
        elif me(handle) != taker:
            pass  # a child that was forked in the block: the record is its parent's
        elif not acknowledge:
            container._give_back(handle, slot, level)
        elif status := container._c_release(handle, slot):
            container._refused(status, handle)

    def __del__(self) -> None:
        with suppress(Exception):
            self._end(acknowledge=False)
