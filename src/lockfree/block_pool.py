"""BlockPool: numbered blocks, handed out all or nothing; those of a dead process come back."""

from typing import TYPE_CHECKING, Any, Literal, NoReturn

from lockfree._errors import EMPTY, OK, raise_status, shown
from lockfree._native import NULL, Native, blocking, ffi, lib
from lockfree._segment import check_int, check_name
from lockfree._spin import Waiter, check_spin
from lockfree._types import Chosen, Order, Spin, chosen
from lockfree._unbroken import unbroken
from lockfree._waiting import patience, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

    import numpy as np
    import numpy.typing as npt

    Blocks = npt.NDArray[np.uint32]
    SomeBlocks = npt.NDArray[np.integer[Any]] | Sequence[SupportsIndex] | SupportsIndex

__all__ = ["BlockPool"]

MAX_BLOCKS = 2**24
ORDERS: dict[str, int] = {"fifo": 0, "lifo": lib.LF_POOL_LIFO}
MAX_ALLOC = 2**20 - 1
_NO_LEASES_ABOVE = 2**43 - 1
MANY = 2**14
"""Blocks of a call that gives the GIL up: 64 KiB of numbers."""


def _functions(numbers: Any) -> Any:
    return lib if len(numbers) < MANY else blocking


class Calls(Waiter):
    """What a block pool can do. The C type stands before it and does the same without cffi."""

    _struct = "struct lf_block_pool"
    _attach = blocking.lf_block_pool_attach
    _attach_fd = blocking.lf_block_pool_attach_fd
    _close = lib.lf_block_pool_close

    blocks = Chosen[int]()

    order = Chosen[Order]()
    persistent = Chosen[bool]()

    def __init__(
        self,
        blocks: int,
        *,
        order: Order = "fifo",
        name: str | None = None,
        persistent: bool = False,
        spin: Spin = "adaptive",
    ) -> None:
        check_spin(spin)
        blocks = check_int("blocks", blocks, 1, MAX_BLOCKS)
        if order not in ORDERS:
            raise ValueError(f'order is {shown(order)}: it must be "fifo" or "lifo"')
        name = check_name(name)
        if persistent and name is None:
            raise ValueError("persistent is True and name is None: without a name nobody finds the pool again")
        mode = ORDERS[order] | (lib.LF_POOL_PERSISTENT if persistent else 0)
        handle = self._begin(name)
        encoded, start = NULL if name is None else name.encode(), self._start & (2**32 - 1)
        self._created(handle, blocking.lf_block_pool_create_as(handle, encoded, blocks, start, mode), spin)

    @classmethod
    def _wanted(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {key: given[key] for key in ("blocks", "order", "persistent")}

    def _attached(self) -> None:
        import numpy as np

        self._np = np
        mode = self._h.mode
        order = "lifo" if mode & lib.LF_POOL_LIFO else "fifo"
        chosen(self, blocks=int(self._h.blocks), order=order, persistent=bool(mode & lib.LF_POOL_PERSISTENT))
        self._most = min(self.blocks, MAX_ALLOC)
        self._empty, self._uint32 = np.empty, np.dtype(np.uint32)
        self._use(self._empty, self._uint32)

    def _use(self, _empty: Any, _uint32: Any) -> None: ...

    # ---- taking and giving back ----

    def alloc(self, n: int = 1, block: bool = False, timeout: float | None = None) -> "Blocks | None":
        """The numbers of n blocks, now the caller's, or None if at some instant fewer were free.

        With `block` it waits until n are free, at most `timeout` seconds (None: for ever). ValueError if n is below 1,
        above `blocks` or above 2**20 - 1. Closed after `shutdown()`, Superseded after another process took over.
        """
        blocks: Blocks | None = unbroken[_ALLOC, self, n, block, timeout]
        return blocks

    def _alloc(self, n: int, block: bool, timeout: float | None) -> "Blocks | None":
        self._require_open()
        n, wait = check_int("n", n, 1, self._most), patience(block, timeout)
        found, handle = self._empty(n, self._uint32), self._h
        memory = ffi.from_buffer("uint32_t *", found)
        status = int((lib if n < MANY else blocking).lf_block_pool_try_alloc(handle, memory, n))
        if status == EMPTY and wait:
            status = self._until_done(blocking.lf_block_pool_alloc, handle, memory, n, until(wait))
        if status not in {OK, EMPTY}:
            self._refused(status, handle)
        return found if status == OK else None

    def free(self, blocks: "SomeBlocks", generations: "SomeBlocks | None" = None) -> None:
        """Takes one reference of each block away; with the last one a block is free.

        `generations`: what they must be (see `generations()`), to find a use after free. ValueError if a block is not
        the caller's; it names the block and its state. Then nothing is freed, with one exception. If a block stands
        in the list more often than it has references, the blocks before it are freed.
        """
        numbers, tags = self._pair(blocks, generations)
        handle, at = self._h, ffi.new("uint64_t *")
        checked = ffi.NULL if tags is None else ffi.from_buffer("uint32_t *", tags)
        status = _functions(numbers).lf_block_pool_free(
            handle, ffi.from_buffer("uint32_t *", numbers), checked, len(numbers), at
        )
        if status:
            self._refused(status, handle, numbers, int(at[0]), tags)

    def retain(self, blocks: "SomeBlocks") -> None:
        """Gives each block one reference more, or none of them: they are freed once more. For shared prefixes."""
        numbers, handle, at = self._numbers("blocks", blocks), self._h, ffi.new("uint64_t *")
        status = _functions(numbers).lf_block_pool_retain(
            handle, ffi.from_buffer("uint32_t *", numbers), len(numbers), at
        )
        if status:
            self._refused(status, handle, numbers, int(at[0]))

    # ---- handing over ----

    def seal(self, blocks: "SomeBlocks") -> int:
        """Puts blocks of the caller, with their references, into a batch, in one step; the batch's ticket.

        From then on they belong to nobody, and outlive this process. ValueError, and nothing changed, if one is not the
        caller's. RuntimeError if 4,096 batches exist already.
        """
        ticket: int = unbroken[self._seal, self._numbers("blocks", blocks)]
        return ticket

    def _seal(self, numbers: "Blocks") -> int:
        handle, at, ticket = self._h, ffi.new("uint64_t *"), ffi.new("uint64_t *")
        status = _functions(numbers).lf_block_pool_seal(
            handle, ffi.from_buffer("uint32_t *", numbers), len(numbers), ticket, at
        )
        if status == lib.LF_BUSY:
            raise RuntimeError(f"{self._title()}: 4,096 sealed batches exist already: adopt some")
        if status:
            self._refused(status, handle, numbers, int(at[0]))
        return int(ticket[0])

    def adopt(self, ticket: int) -> "Blocks":
        """Takes the blocks of a sealed batch over; their numbers, ascending. LookupError if somebody has them."""
        numbers: Blocks = unbroken[self._adopt_batch, ticket]
        return numbers

    def _adopt_batch(self, ticket: int) -> "Blocks":
        number = check_int("ticket", ticket, 0, 2**64 - 1)
        found = self._taken_over(blocking.lf_block_pool_adopt, number)
        return self._no_batch(number) if found is None else found

    def _no_batch(self, ticket: int) -> NoReturn:
        raise LookupError(f"{self._title()}: there is no batch with ticket {ticket}: it was adopted, or never sealed")

    @property
    def lease(self) -> int:
        """What names this process's lease for `supersede` by others; a new one after each attach."""
        return int(lib.lf_block_pool_lease(self._joined()))

    def supersede(self, lease: int) -> "Blocks":
        """Takes over all blocks of another process, alive or dead; their numbers.

        The other's calls raise Superseded from now on, and change nothing any more. So a process that only seemed dead
        cannot free what its successor uses. LookupError if the lease has ended: its blocks are free.
        """
        numbers: Blocks = unbroken[self._supersede, lease]
        return numbers

    def _supersede(self, lease: int) -> "Blocks":
        number = check_int("lease", lease, 0, _NO_LEASES_ABOVE)
        if number == self.lease:
            raise ValueError(f"lease is {number}: it is this process's own")
        found = self._taken_over(blocking.lf_block_pool_supersede, number)
        return self._no_lease(number) if found is None else found

    def _no_lease(self, lease: int) -> NoReturn:
        raise LookupError(f"{self._title()}: the lease {lease} has ended, and its blocks are free")

    def reclaim(self, lease: int) -> int:
        """Frees all blocks of another process, alive or dead; how many. See `supersede`."""
        found = self.supersede(lease)
        self.free(self._np.repeat(found, self.references(found)))
        return len(found)

    def _taken_over(self, function: Any, argument: int) -> "Blocks | None":
        handle, found = self._h, self._np.empty(self.blocks, self._np.uint32)
        count = int(function(handle, argument, ffi.from_buffer("uint32_t *", found)))
        if count == EMPTY:
            return None
        if count < 0:
            self._refused(count, handle)
        return found[:count].copy()

    # ---- looking ----

    @property
    def available(self) -> int:
        """How many blocks are free: exact while nobody else runs. O(1)."""
        return int(lib.lf_block_pool_available(self._opened()))

    def generations(self, blocks: "SomeBlocks") -> "Blocks":
        """The generation of each block, which ends when it becomes free; modulo 2**24."""
        return self._look(blocks)[1]

    def references(self, blocks: "SomeBlocks") -> list[int]:
        """How many references each block has; 0 if it is free."""
        found: list[int] = []
        counts = self._look(blocks)[2]
        for at in range(0, len(counts), MANY):  # in pieces: other threads get their turns
            found += counts[at : at + MANY].tolist()
        return found

    def _look(self, blocks: "SomeBlocks") -> "tuple[Blocks, Blocks, Blocks]":
        """The numbers of the blocks, their generations and their references."""
        numbers = self._numbers("blocks", blocks)
        self._bound("blocks", numbers, self.blocks - 1)
        generations, references = self._np.empty_like(numbers), self._np.empty_like(numbers)
        self._fill(numbers, generations, references)
        return numbers, generations, references

    def _fill(self, *arrays: "Blocks") -> None:
        pointers = (ffi.from_buffer("uint32_t *", array) for array in arrays)
        _functions(arrays[0]).lf_py_block_pool_look(self._opened(), *pointers, len(arrays[0]))

    def shutdown(self) -> None:
        """Ends `alloc` for every process: it raises Closed, also where somebody waits. Blocks can still be freed."""
        lib.lf_block_pool_shutdown(self._opened(), 0)

    def _pair(self, blocks: "SomeBlocks", generations: "SomeBlocks | None") -> "tuple[Blocks, Blocks | None]":
        """Block numbers, and their generations."""
        numbers = self._numbers("blocks", blocks)
        tags = None if generations is None else self._numbers("generations", generations)
        if tags is not None and len(tags) != len(numbers):
            raise ValueError(f"generations has {len(tags)} entries: it must have one for each of {len(numbers)} blocks")
        return numbers, tags

    def _numbers(self, what: str, blocks: "SomeBlocks") -> "Blocks":
        """Block numbers as a contiguous array of uint32. TypeError or ValueError for anything else."""
        np = self._np
        if isinstance(blocks, (list, tuple)) and len(blocks) > MANY:  # in pieces: other threads get their turns
            blocks = np.concatenate([np.asarray(blocks[at : at + MANY]) for at in range(0, len(blocks), MANY)])
        array: Blocks = np.atleast_1d(np.asarray(blocks))
        if array.size == 0:
            array = np.empty(0, np.uint32)
        if array.ndim != 1 or array.dtype.kind not in "ui":
            kind = f"type {array.dtype} with {array.ndim} dimensions"
            raise TypeError(f"{what} is of {kind}: it must be a list of integers")
        if array.dtype != np.uint32:
            self._bound(what, array, 2**32 - 1 if what == "generations" else self.blocks - 1)
        numbers: Blocks = np.array(array, np.uint32, order="C")  # a copy: other threads may change the caller's array
        return numbers

    def _bound(self, what: str, array: Any, most: int) -> None:
        """ValueError that names the first number outside 0 to `most`."""
        if array.size and (int(array.min()) < 0 or int(array.max()) > most):
            at = int(((array < 0) | (array > most)).argmax())
            raise ValueError(f"{what}[{at}] is {array[at]}: it must be between 0 and {most}")

    def _refused(self, status: int, handle: Any, numbers: Any = None, at: int = 0, tags: Any = None) -> NoReturn:
        self._require_open()
        if status != lib.LF_NOT_OWNER:
            raise_status(status, self._title(), handle)
        self._not_owner(numbers, at, tags)

    def _not_owner(self, numbers: Any, at: int, tags: Any) -> NoReturn:
        self._bound("blocks", numbers, self.blocks - 1)
        raise ValueError(f"{self._title()}: blocks[{at}] is {int(numbers[at])}: {self._why_not(numbers, tags, at)}")

    def _state(self, number: int) -> tuple[int, int]:
        """The word of a block, and the process whose lease it is; 0: nobody's."""
        handle = self._opened()
        word = int(lib.lf_block_pool_look(handle, number))
        return word, int(lib.lf_py_block_pool_pid(handle, lib.lf_block_lease(word)))

    def _why_not(self, numbers: Any, tags: Any, at: int) -> str:
        number = int(numbers[at])
        word, pid = self._state(number)
        generation = int(lib.lf_block_generation(word))
        if (numbers[:at] == number).any():
            return "it stands in the list more often than it has references"
        if not lib.lf_block_is_held(word):
            return f"this block is free, since its generation {generation} began"
        lease = int(lib.lf_block_lease(word))
        if lease >= lib.LF_PARTICIPANTS:
            return "this block is in a sealed batch"
        if lease != int(self._h.h.participant):
            return f"this block belongs to process {pid}"
        if tags is not None and int(tags[at]) != generation:
            return f"its generation is {generation}, not {int(tags[at])}: it was freed, and allocated again"
        return "another thread has freed it, and allocated it again"

    def _describe(self) -> str:
        return f" blocks={self.blocks} available={self.available}"


class BlockPool(Native[Literal["block_pool"]], Calls):
    """Blocks 0..`blocks`-1, such as the pages of a KV cache. It hands out numbers; the memory is the user's.

    `alloc(n)` takes n blocks or none. With `order="fifo"` these are the blocks that have been free for longest, so what
    they hold stays as long as possible; with "lifo" those that became free last, which the cache still has. Each block
    has a number of references, which `retain` raises and `free` lowers; with the last one the block is free, and its
    generation ends.

    Blocks belong to the process that allocated them. A block of another process, a free block, or one of another
    generation than the caller names, is refused with ValueError, and nothing is freed. `seal` puts blocks into a batch
    that outlives the process, and that one other process can `adopt`.

    A pool with a name stays when its last user ends, with its sealed batches. `lockfree gc` removes it then, but not if
    it is `persistent`: that one stays until `unlink()`, or until `lockfree gc` is told its name.

    1 to 2**24 blocks; one call allocates at most 2**20 - 1. Block numbers are arrays of numpy.uint32.

    Progress: lock-free, but for `alloc` with `block=True`, which sleeps. `adopt` and `supersede` look at every block.

    Death: what a process held when it died, or closed the pool, is free again by itself, at the latest when somebody
    would wait for it. Sealed batches stay.

    Source: docs/primitives/block_pool.md.
    """


_ALLOC = BlockPool._alloc
"""Found once: it is a good part of what a short call costs."""
