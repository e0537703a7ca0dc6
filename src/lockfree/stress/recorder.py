"""One client: its log in the arena, its plan, and the calls with which a Python driver records what it does."""

import random
from collections.abc import Callable
from typing import Any

from lockfree._native.stress import ffi, lib
from lockfree.linearizability.tickets import begin as keep_tickets
from lockfree.linearizability.tickets import take_positions
from lockfree.stress.arena import Arena

NONE = -(1 << 63)
PUT, GET, WRITE, READ, CAS, FETCH_ADD, LOAD, ACQUIRE, RELEASE = 1, 2, 5, 6, 7, 8, 9, 10, 11
"""Codes of operations: `enum lf_history_code`."""
VALUE_BITS = 56


class Client:
    """One thread's part of a round. `raw` is the argument of the C loops."""

    def __init__(self, arena: Arena, number: int, plan: dict[str, Any]) -> None:
        self._arena = arena
        self._pages = arena.populate(number)
        self._memory = ffi.from_buffer(self._pages)
        self.number = number
        self.raw = ffi.new("struct lf_stress_client *")
        self.raw.control = arena.control
        self.raw.log = ffi.cast("struct lf_stress_log *", self._memory)
        self.raw.client = number
        self.raw.plan = plan
        self.random = random.Random(plan["seed"] * 1000003 + number)
        self.has_tickets = False

    def keep_tickets(self) -> None:
        """What is recorded from now on are calls of a ring that knows the positions of its records."""
        self.has_tickets = keep_tickets()

    def _tickets(self) -> None:
        if self.has_tickets and (positions := take_positions()):
            lib.lf_stress_positions(positions, len(positions))

    def begin(self) -> None:
        """Says that this client is ready, and waits for the starting signal."""
        lib.lf_stress_begin(self.raw)

    def finish(self) -> None:
        self.raw.log.finished = 1

    def run(self, actions: list[Callable[[], object]], weights: list[int]) -> None:
        """Calls actions, chosen by weight, until the round ends."""
        raw, goes_on, choices = self.raw, lib.lf_stress_goes_on, self.random.choices
        cumulative = [sum(weights[: i + 1]) for i in range(len(weights))]
        while goes_on(raw):
            choices(actions, cum_weights=cumulative)[0]()

    def some_timeout(self) -> float:
        """A time-out in seconds: mostly short, sometimes as long as the plan allows."""
        longest: int = self.raw.plan.max_wait_ns
        return self.random.randrange((longest >> self.random.randrange(8)) + 1) * 1e-9

    # ---- recording: the C calls read the clock, the opening ones at their end, the closing ones at their begin ----

    def open(self, op: int, arg: int = NONE, arg2: int = 0) -> None:
        lib.lf_stress_open(self.raw, op, arg, arg2)

    def close(self, result: int | None, arg2: int = 0) -> None:
        """Ends a call that answers with a value; None for EMPTY or a time-out."""
        self._tickets()
        lib.lf_stress_close(self.raw, 0 if result is None else result, arg2, result is None)

    def close_try(self, done: bool) -> None:
        """Ends a call that answers with success or refusal."""
        self._tickets()
        lib.lf_stress_close_put(self.raw, not done)

    def open_many(self, op: int, args: list[int] | None, arg2s: list[int] | None, count: int) -> None:
        values = ffi.NULL if args is None else ffi.new("int64_t[]", args)
        lib.lf_stress_open_many(self.raw, op, values, ffi.NULL if arg2s is None else ffi.new("int64_t[]", arg2s), count)

    def close_puts(self, opened: int, done: int) -> None:
        self._tickets()
        lib.lf_stress_close_puts(self.raw, opened, done, 1)

    def close_gets(self, opened: int, values: list[int], arg2s: list[int] | None, *, empty: bool) -> None:
        levels = ffi.NULL if arg2s is None else ffi.new("int64_t[]", arg2s)
        self._tickets()
        lib.lf_stress_close_gets(self.raw, opened, ffi.new("int64_t[]", values), levels, len(values), empty)

    def close_as(self, op: int, arg: int, arg2: int, result: int) -> None:
        """Ends a call and records it as another operation."""
        lib.lf_stress_close_as(self.raw, op, arg, arg2, result)

    def key(self, key: int) -> None:
        """Says which of several objects the open call uses."""
        lib.lf_stress_key(self.raw, key)

    def forget(self, count: int = 1) -> None:
        """Removes the last opened call. It did nothing, and its refusal is not an answer of the object."""
        lib.lf_stress_forget(self.raw, count)

    # ---- values ----

    def value(self) -> int:
        """A value that no other client has."""
        return int(lib.lf_stress_next_value(self.raw))


def pack(value: int, length: int) -> bytes:
    """A record of `length` >= 8 bytes: the value, with the length in its highest byte, repeated."""
    word = (value | length << VALUE_BITS & (1 << 64) - 1).to_bytes(8, "little")
    return (word * (length // 8 + 1))[:length]


def unpack(record: Any, *, padded: bool = False) -> int:
    """The value of a record; a negative one if the record is damaged. `padded`: it is filled up with zeros to a row."""
    data = bytes(record)
    if len(data) < 8:
        return -1
    length = data[7]
    value = int.from_bytes(data[:7], "little")
    if not padded and len(data) != length:
        return -3
    return value if data == pack(value, length) + b"\0" * (len(data) - length) else -2
