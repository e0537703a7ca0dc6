"""Queue, JoinableQueue, SimpleQueue: what multiprocessing has under these names, without pipe, lock and thread."""

import queue
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, overload

from lockfree import _pickles
from lockfree._errors import Closed, ShutDown, shown, why_closed
from lockfree._native import lib
from lockfree._records import is_one_record, tell
from lockfree._segment import check_call, check_int
from lockfree._types import Spin
from lockfree._unbroken import unbroken
from lockfree._waiting import FOREVER, NOW, patience, until
from lockfree.message_ring import MessageRing

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from lockfree._cargo import Cargo, Carrier
    from lockfree.arena import Arena

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")
D = TypeVar("D")

__all__ = ["JoinableQueue", "Queue", "SimpleQueue"]

SIZE = 1 << 22
MOST_BY_ITSELF = 1 << 26
"""Bytes. A queue for very many items takes more only if it is told so."""
BLOCK = 128
Dumps = Callable[[Any], Any]
Loads = Callable[[Any], Any]


ENDED = 2
"""As `enum lf_ending` of segment.h has it."""


class _ClosedHere(Closed, ValueError, OSError):
    """What the methods of a queue that this process has closed raise. Those of multiprocessing raise ValueError for
    `put` and `get`, and OSError for the others.
    """


class Queue(MessageRing, Generic[T]):
    """FIFO of Python objects, for any number of producers and consumers, with the methods of `multiprocessing.Queue`.

    `maxsize` items are inside at a time at most (0 or less: no bound). Their pickles share `size_bytes`; None: 4 MiB,
    or `maxsize` blocks if that is more, 64 MiB at most. One object may take up to `max_message` bytes. `dumps` makes
    bytes-like of an object and `loads` an object of bytes (a bytearray from 4097 bytes on); None: pickle protocol 5
    with the reducers of multiprocessing. Buffers of 16 KiB and more, such as arrays, are copied beside the pickle.

    With `arena`, buffers of `arena_from` bytes and more (None: 64 KiB) travel through that Arena instead: NumPy arrays,
    memoryviews, whatever pickles its buffers out of band. `put` copies them into a block, unless they stand at the
    beginning of one already; what `get` returns is the block itself, writable, and free when nothing refers to it.
    `put` waits for memory of the arena as for a place in the queue. Every handle of the queue needs the arena.

    `put` pickles and puts by itself: there is no thread that feeds. So what cannot be pickled is an error of `put`, and
    when `put` returns the object is there for everybody. A `put` that raises leaves nothing inside. An object whose
    unpickling raises in `get` is taken. It is in the queue again, as the last one, after MemoryError, after what a
    signal handler raises (as Ctrl-C does), and if its buffers are in an arena that is not open here.

    Progress, order and death are those of MessageRing: if a process dies in `put` or `get`, at any instruction, the
    others go on, and no place of the `maxsize` is lost. Recovery may complete the put of a process that died in it; so
    each may bring one item above `maxsize`.

    Unpickling runs code that the pickle names. All programs of the same user can write one.
    """

    _noun = "queue"
    _contents = "Queue"

    def __init__(
        self,
        maxsize: int = 0,
        *,
        size_bytes: int | None = None,
        block_bytes: int | None = None,
        dumps: Dumps | None = None,
        loads: Loads | None = None,
        arena: "Arena | None" = None,
        arena_from: int | None = None,
        name: str | None = None,
        spin: Spin = "adaptive",
    ) -> None:
        self._means(dumps, loads, arena, arena_from)
        super().__init__(*_geometry(maxsize, size_bytes, block_bytes), name=name, spin=spin)

    _dumps: Dumps | None = None
    _loads: Loads | None = None
    _carrier: "Carrier | None" = None
    _convert: Loads | None = None
    """A message as an object, where it is no plain pickle."""

    def _means(self, dumps: Dumps | None, loads: Loads | None, arena: "Arena | None", arena_from: int | None) -> None:
        """How objects become messages: checked, and kept."""
        _check_calls(dumps, loads)
        if arena is not None and dumps is not None:
            raise ValueError("arena and dumps exclude each other: give one of them")
        if arena is None and arena_from is not None:
            raise ValueError(f"arena_from is {shown(arena_from)}: it has no effect without `arena`, which is None")
        self._dumps, self._loads = dumps, loads
        if loads is not None:
            self._convert = _pickles.guarded(loads)
        if arena is not None:
            from lockfree._cargo import Carrier

            self._carrier = Carrier(arena, arena_from)
            self._convert = self._carrier.unpack

    @classmethod
    def attach(
        cls,
        name: str,
        *,
        dumps: Dumps | None = None,
        loads: Loads | None = None,
        arena: "Arena | None" = None,
        arena_from: int | None = None,
        spin: Spin = "adaptive",
    ) -> Self:
        """The queue that another program created with `name=`; the other arguments as in the constructor.

        Raises FileNotFoundError if there is none, SegmentError if what is there is not such an object.
        """
        cls.__new__(cls)._means(dumps, loads, arena, arena_from)  # before anything is attached
        self = super().attach(name, spin=spin)
        self._means(dumps, loads, arena, arena_from)
        return self

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        size, block, most = _geometry(given.get("maxsize", 0), given["size_bytes"], given["block_bytes"])
        wanted = super()._wanted({"size_bytes": size, "block_bytes": block, "max_messages": most})
        return {"maxsize": wanted.pop("max_messages") or 0, **wanted}

    def __reduce__(self) -> tuple[Any, ...]:
        carrier = self._carrier
        means = (None, None) if carrier is None else (carrier.arena, carrier.least)
        return (*super().__reduce__(), (self._dumps, self._loads, *means))

    def __setstate__(self, means: tuple[Dumps | None, Loads | None, "Arena | None", int | None]) -> None:
        self._means(*means)

    @property
    def maxsize(self) -> int:
        """Items that are inside at a time at most; 0: no bound."""
        return self.max_messages or 0

    @property
    def is_shutdown(self) -> bool:
        """Whether a process has called `shutdown()`. `queue.Queue` has this name since Python 3.13."""
        try:
            with self._enter():
                return self._ending() > 0
        except Closed:
            self._ended()

    # ---- put ----

    def _what(self, position: int | None = None) -> str:
        return "dumps(obj)" if position is None else f"dumps(objs[{position}])"

    def put(  # type: ignore[override]
        self, obj: T, block: bool = True, timeout: float | None = None
    ) -> None:
        """Puts an object, waiting at most `timeout` seconds (None: for ever) for a place and for memory.

        Raises queue.Full; ShutDown after shutdown; ValueError if it takes more than `max_message` bytes, or after
        close; what pickling it raises.
        """
        try:
            if self._carrier is not None:
                self._put_cargo(self._carrier, obj, block, timeout)
            elif self._dumps is not None:
                self._put_message(self._dumps(obj), block, timeout)
            elif not self._put_plain(obj, block, timeout):
                pieces = _pickles.dumps(obj)
                if len(pieces) == 1:
                    self._put_message(pieces[0], block, timeout)
                else:
                    self._put_pieces(pieces, block, timeout)
        except Closed:
            self._ended()

    def _put_cargo(self, carrier: "Carrier", obj: Any, block: bool, timeout: float | None) -> None:
        """The memory of large buffers first, then the place in the queue; a time-out is for both together."""
        self._require_open()
        wait = patience(block, timeout)
        limit = until(wait)
        cargo = carrier.pack(obj, wait)
        if wait not in {NOW, FOREVER}:
            timeout = max(0.0, (limit - time.monotonic_ns()) * 1e-9)
        try:
            cargo.put(self._put_pieces, block, timeout)
        except BaseException:
            cargo.give_up()
            raise

    def _putter(self, obj: Any) -> Callable[[], None]:
        if self._carrier is not None:
            return self._cargo_putter(self._carrier, obj)
        pieces = _pickles.dumps(obj) if self._dumps is None else [self._dumps(obj)]

        def put() -> None:
            try:
                self._put_pieces(pieces, False, None)
            except Closed:
                self._ended()

        return put

    async def aput(self, obj: T, *, timeout: float | None = None) -> None:  # type: ignore[override]
        """`await queue.aput(obj)`: as `put`, and other tasks of the event loop go on meanwhile.

        Raises what `put` raises; queue.Full after `timeout` seconds (None: never). A task that is cancelled here has
        put nothing.
        """
        await self._aput(self._putter(obj), timeout)

    def _cargo_putter(self, carrier: "Carrier", obj: Any) -> Callable[[], None]:
        """For awaited puts. Of what is cancelled, the memory is given back with this function."""
        packed: list[Cargo] = []

        def put() -> None:
            try:
                self._require_open()
                if not packed:
                    packed.append(carrier.pack(obj, NOW))
                packed[0].put(self._put_pieces, False, None)
                packed.pop()
            except Closed:
                self._ended()

        return put

    def put_nowait(self, obj: T) -> None:  # type: ignore[override]
        """`put(obj, block=False)`."""
        self.put(obj, False)

    def try_put(self, obj: T, /) -> bool:  # type: ignore[override]
        """`put` that never waits; False if there is no room."""
        try:
            self.put(obj, False)
        except queue.Full:
            return False
        return True

    def put_many(  # type: ignore[override]
        self, objs: Iterable[T], block: bool = False, timeout: float | None = None
    ) -> int:
        """Puts the objects until one has no room; how many went in. With `block` the first one waits.

        Those of a sequence are pickled before the first one is put: if that raises, none goes in. Of an iterator, what
        does not fit is not taken. An object that takes more than the one before and has no room is `record` of the
        queue.Full that is raised, and `put` says how many went in. TypeError for text and what is bytes-like: that is
        one object.
        """
        if isinstance(objs, memoryview) or is_one_record(objs, arrays=True):
            raise TypeError(f"objs is one {type(objs).__name__}: it must be an iterable of objects; put() takes one")
        try:
            walk = iter(objs)
        except TypeError:
            raise TypeError(f"objs is of type {type(objs).__name__}: it must be an iterable of objects") from None
        is_iterator = walk is objs or not hasattr(type(objs), "__len__")  # it need not have an end
        if self._carrier is not None:
            return self._put_cargoes(walk, is_iterator, block, timeout)
        if is_iterator:
            return self._put_walk(walk, patience(block, timeout))
        packed = [self._packed(obj) for obj in walk]
        try:
            return super().put_many(packed, block, timeout)
        except Closed:
            self._ended()

    def _put_cargoes(self, objs: Iterator[Any], is_iterator: bool, block: bool, timeout: float | None) -> int:
        done, wait = 0, patience(block, timeout)
        limit = until(wait)
        while True:
            try:
                if is_iterator and not self._has_room(1, NOW if done else wait):
                    return done
            except Closed:
                if done:
                    return done
                self._ended()
            try:
                obj = next(objs)
            except StopIteration:
                return done
            if wait not in {NOW, FOREVER}:
                timeout = max(0.0, (limit - time.monotonic_ns()) * 1e-9)
            try:
                self.put(obj, block and done == 0, timeout)
            except BaseException as error:
                if isinstance(error, queue.Full) and not is_iterator:
                    return done
                tell(error, obj, done)
                raise
            done += 1

    def _packed(self, obj: Any) -> Any:
        return b"".join(_pickles.dumps(obj)) if self._dumps is None else self._dumps(obj)

    def _put_walk(self, objs: Iterator[Any], wait: int) -> int:
        taken: list[Any] = []  # the object that is on its way

        def pickles() -> Iterator[Any]:
            for done, obj in enumerate(objs):
                taken[:] = [obj]
                try:
                    data = self._packed(obj)
                except BaseException as error:
                    tell(error, obj, done)
                    raise
                yield data
                taken.clear()

        try:
            self._require_open()
            return self._put_iterator(pickles(), wait)
        except BaseException as error:
            if hasattr(error, "put") and taken:
                error.record = taken[0]  # type: ignore[attr-defined]
            elif isinstance(error, Closed):
                self._ended()
            raise

    # ---- get ----

    def get(self, block: bool = True, timeout: float | None = None) -> T:  # type: ignore[override]
        """The oldest object; waits at most `timeout` seconds (None: for ever) for one.

        Raises queue.Empty; ShutDown after shutdown, when nothing is left; ValueError after close; what unpickling
        raises. Then the object is taken. After MemoryError and after what a signal handler raises, such as
        Ctrl-C, it is in the queue again, as the last one.
        """
        try:
            if self._convert is None:
                return unbroken[self._get_object, block, timeout]  # type: ignore[no-any-return]
            return unbroken[self._get_converted, self._convert, _pickles.Within, block, timeout]  # type: ignore[no-any-return]
        except Closed:
            self._ended()
        except _pickles.Within as within:
            error = within.error
        try:
            raise error
        finally:
            del error

    def get_nowait(self) -> T:  # type: ignore[override]
        """`get(block=False)`."""
        return self.get(False)

    @overload  # type: ignore[override]
    def try_get(self, default: None = None, /) -> T | None: ...
    @overload
    def try_get(self, default: D, /) -> T | D: ...
    def try_get(self, default: Any = None, /) -> Any:
        """`get` that never waits; `default` if nothing is inside."""
        try:
            return self.get(False)
        except queue.Empty:
            return default

    def get_many(self, n: int | None = None, block: bool = False, timeout: float | None = None) -> list[T]:  # type: ignore[override]
        """Up to `n` objects (None: all that are there). With `block` it waits for the first one.

        What unpickling raises has those that were taken before, in `taken`.
        """
        most = 2**63 if n is None else check_int("n", n, 0, 2**63 - 1)
        taken: list[T] = []
        try:
            while len(taken) < most:
                taken.append(self.get(block and not taken, timeout))
        except queue.Empty:
            if block and not taken:
                raise
        except ShutDown:
            if not taken:
                raise
        except Exception as error:
            error.taken = taken  # type: ignore[attr-defined]
            raise
        return taken

    # ---- state and end ----

    def full(self) -> bool:
        """Whether `maxsize` items are inside, or no block of memory is free. Not after `shutdown(immediate=True)`."""
        full = self.free() == 0 or 0 < self.maxsize <= self.qsize()
        return full and self._ending() < ENDED

    def qsize(self) -> int:
        """How many objects are inside: exact while nobody else is running. After `shutdown(immediate=True)` 0."""
        try:
            return super().qsize()
        except Closed:
            self._ended()

    def _ending(self) -> int:
        """As `enum lf_ending` has it; below 0 if the object is closed."""
        return int(lib.lf_py_message_ring_ending(self._h))

    def join_thread(self) -> None:
        """Nothing to wait for: no thread feeds the queue."""

    def cancel_join_thread(self) -> None:
        """Nothing to cancel: no thread feeds the queue, and the end of the process does not wait."""

    @property
    def unfinished_tasks(self) -> int:
        """What `unfinished()` returns, by the name that `queue.Queue` has for it."""
        return self.unfinished()

    def peek(self, *_: object, **__: object) -> NoReturn:
        """Objects cannot be read in place: TypeError."""
        raise TypeError(f"{self._title()}: objects cannot be read in place: use get()")

    def read(self, *_: object, **__: object) -> NoReturn:
        """Objects cannot be read in place: TypeError."""
        self.peek()

    def _ended(self) -> NoReturn:
        """Closed, as what queues raise. Where the arena has ended and not the queue, the exception goes on as it is."""
        try:
            with self._enter():
                was_shut_down = self._ending() > 0
        except Closed:
            raise _ClosedHere(f"{self._title()}: {why_closed(self._h)}") from None
        if self._carrier is not None and not was_shut_down:
            raise  # noqa: PLE0704  # in the `except` of the caller
        raise ShutDown(f"{self._title()}: the object was shut down") from None


class JoinableQueue(Queue[T]):
    """Queue whose consumers say what is done: `task_done` after each object, and `join` waits until all are.

    A task that a dead process had taken stays open; `join` takes a time-out.
    """


class SimpleQueue(Queue[T]):
    """Queue without `maxsize`, with the methods of `multiprocessing.SimpleQueue`, and those of Queue beside them."""

    def __init__(
        self,
        *,
        size_bytes: int | None = None,
        block_bytes: int | None = None,
        dumps: Dumps | None = None,
        loads: Loads | None = None,
        arena: "Arena | None" = None,
        arena_from: int | None = None,
        name: str | None = None,
        spin: Spin = "adaptive",
    ) -> None:
        super().__init__(
            0,
            size_bytes=size_bytes,
            block_bytes=block_bytes,
            dumps=dumps,
            loads=loads,
            arena=arena,
            arena_from=arena_from,
            name=name,
            spin=spin,
        )


def _geometry(maxsize: int, size_bytes: int | None, block_bytes: int | None) -> tuple[int, int, int | None]:
    """The arguments of the ring."""
    most = max(check_int("maxsize", maxsize, None, 2**31), 0)
    block = BLOCK if block_bytes is None else check_int("block_bytes", block_bytes, 32, 2**30)
    size = min(max(SIZE, most * block), MOST_BY_ITSELF) if size_bytes is None else size_bytes
    size = check_int("size_bytes", size, 64, 2**40)
    return size, min(block, size // 16 * 16), most or None


def _check_calls(dumps: object, loads: object) -> None:
    for name, call in (("dumps", dumps), ("loads", loads)):
        check_call(name, call, ", or None")
    if (dumps is None) != (loads is None):
        raise ValueError("dumps and loads come together: one of them is None")
