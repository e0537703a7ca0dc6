"""A failing execution as text: threads in columns, one visible step a line."""

import re
from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from lockfree.modelcheck.columns import fitted
from lockfree.modelcheck.positions import MAIN, Positions

OPERATIONS = {1: "put", 2: "get", 3: "read", 4: "write", 5: "add", 6: "acquire", 7: "try_acquire", 8: "release"}
WITHOUT_ARGUMENT = {2, 3}
RESULTS = {2**64 - 2: "EMPTY", 2**64 - 3: "FULL", 2**64 - 4: "BUSY"}
IMAGINARY = 1 << 62  # the queue of a futex
ACCESSES = {"load", "store", "rmw", "cas", "cas-failed", "fence", "choice", "turn"}  # others are named by their call
LOCKS = {"lock", "try to lock", "unlock", "lock for reading", "lock for writing"}
ARENA = 0x300000000000
ARENA_END = ARENA + (32 << 26)
STACKS, STACK = 0x200000000000, 8 << 20
POINTER = 8
HEX = re.compile(r"@([0-9a-f]+)@")
ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(frozen=True)
class Step:
    """One visible step; from_thread 0: what was there before the threads ran."""

    thread: int
    index: int
    kind: str
    order: str
    size: int
    address: int
    label: str
    read: int | None
    written: int | None
    from_thread: int | None
    from_index: int | None
    stale: int
    place: int
    hidden: bool
    call: int
    pc: int
    near: int


@dataclass(frozen=True)
class Call:
    thread: int
    what: int
    argument: int
    result: int
    pending: bool

    def begin(self) -> str:
        name = OPERATIONS.get(self.what, f"op{self.what}")
        return f"{name}({'' if self.what in WITHOUT_ARGUMENT else _number(self.argument)})"

    def end(self) -> str:
        return f"{self.begin()} = {RESULTS.get(self.result, _number(self.result))}"


def _number(value: int) -> str:
    return str(value) if value < 1 << 16 else hex(value)


def _optional(text: str, base: int) -> int | None:
    return int(text, base) if text else None


class Trace:
    """What a program reported of one execution."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.events: list[Step] = []
        self.calls: dict[int, Call] = {}
        self.threads: dict[int, str] = {}
        self.failure = ""
        self.placed: dict[tuple[int, int], tuple[int, int]] = {}  # store: its object's address, place in mo
        self.locals: list[tuple[int, int, int]] = []  # address, bytes, thread: of thread-local variables
        self.blocks: list[tuple[int, int, int]] = []  # the same of allocated memory
        self._positions = Positions(program)

    def add(self, what: str, fields: list[str]) -> None:
        if what == "event":
            (tid, idx, kind, order, size, address, label, read, written, from_tid, from_idx, stale, place, hidden,
             call, pc, near) = fields  # fmt: skip
            self.events.append(
                Step(
                    int(tid), int(idx), kind, order, int(size), int(address, 16), label, _optional(read, 16),
                    _optional(written, 16), _optional(from_tid, 10), _optional(from_idx, 10), int(stale), int(place),
                    hidden == "1", int(call), int(pc, 16), int(near, 16),
                )
            )  # fmt: skip
        elif what == "call":
            number, thread, operation, argument, result, pending = fields
            self.calls[int(number)] = Call(
                int(thread), int(operation), int(argument, 16), int(result, 16), pending == "1"
            )
        elif what == "local":
            tid, start, size = fields
            self.locals.append((int(start, 16), int(size), int(tid)))
        elif what == "block":
            tid, start, size = fields
            insort(self.blocks, (int(start, 16), int(size), int(tid)))
        elif what == "placed":
            tid, idx, address, place = fields
            self.placed[int(tid), int(idx)] = int(address, 16), int(place)
        elif what == "thread":
            self.threads[int(fields[0])] = fields[1]

    def name_of(self, address: int) -> str:
        """The variable at an address, as far as the program's symbols tell."""
        if address >> 62 == 2:
            return f"T{address >> 4 & 0xFF}"
        for start, size, thread in self.locals:
            if start <= address < start + size:
                return f"{self._positions.symbol_at(address - start) or address - start} of T{thread}"
        if name := self._positions.symbol_at(address):
            return name
        at = bisect_right(self.blocks, (address, 1 << 64, 0)) - 1
        if at >= 0 and ARENA <= address < ARENA_END:
            start, size, thread = self.blocks[at]
            number = sum(other == thread for _, _, other in self.blocks[: at + 1])
            name = f"block {number}" + (f" of T{thread}" if thread else "")
            beyond = f" (it has {size} bytes)" if address >= start + size else ""
            return f"{name}+{address - start}{beyond}" if address > start else name
        if STACKS <= address < STACKS + 32 * STACK:
            return f"{hex(address)} on the stack of T{(address - STACKS) // STACK}"
        return hex(address)

    def _value(self, value: int, size: int) -> str:
        """A number, or what it points to if it is as wide as a pointer and could be one."""
        name = self.name_of(value) if 1 << 16 <= value < 1 << 48 and size == POINTER else ""
        return f"&{name}" if name and not name.startswith("0x") else _number(value)

    def locate(self) -> None:
        """Looks up all source positions at once, while the program is there."""
        self.look_up({event.pc for event in self.events} | {event.near for event in self.events})

    def look_up(self, pcs: set[int]) -> set[int]:
        return self._positions.look_up(pcs)

    def position(self, pc: int, near: int = 0) -> str:
        """FILE:LINE FUNCTION; near: what to say instead where that is a library's or not known."""
        instead = near and self._positions.is_foreign(pc) and not self._positions.is_foreign(near)
        return self._positions.position(near if instead else pc)

    def explain(self, message: str) -> str:
        """A message of the runtime with its program positions and addresses in the reader's terms."""
        message = MAIN.sub("main", message)
        message = HEX.sub(lambda found: f"({self.position(int(found[1], 16))})", message)
        return ADDRESS.sub(lambda found: self.name_of(int(found[0], 16)), message)

    def _source(self, step: Step) -> str:
        store = f"T{step.from_thread}#{step.from_index}"
        if step.from_thread == 0:
            store = "initial"
        elif step.from_index == -1:
            store = f"plain store of T{step.from_thread}"
        return f"from {store}{', STALE' if step.stale else ''}"

    def describe(self, step: Step) -> str:
        """One step in words: what it did, the value it saw and where that came from."""
        queue = step.address >> 62 == 1
        name = step.label or self.name_of((step.address & ~IMAGINARY) >> 1 if queue else step.address)
        if step.kind not in ACCESSES:
            return self._describe_call(step, name)
        if step.kind == "fence":
            return f"fence {step.order}"
        if step.kind == "choice":
            return f"chooses {step.read}"
        if step.kind == "turn":
            return "goes on with the same values" if step.read else "waits for a change"
        if step.address >> 62 == 3:
            who = step.address >> 4 & 0xFF
            participant = f"T{who}" if who in self.threads else f"participant {who}"
            if step.kind == "store":
                return "dies" if who == step.thread else f"declares {participant} dead"
            return f"asks: is {participant} alive? {'no' if step.read else 'yes'}"
        if queue:
            if step.kind == "load":
                return f"sleeps on {name}" if step.read and step.read >> step.thread & 1 else f"woken on {name}"
            before, after = step.read or 0, step.written or 0
            if after > before or (after == before and after >> step.thread & 1):
                return f"futex_wait({name})"
            return f"futex_wake({name}): {(before & ~after).bit_count()} woken"
        read = "" if step.read is None else self._value(step.read, step.size)
        written = "" if step.written is None else self._value(step.written, step.size)
        if step.kind == "store":
            early = f" placed before {step.place} newer" if step.place else ""
            return f"{name} := {written} {step.order}{early}"
        if step.kind == "load":
            return f"{name} == {read} {step.order} ({self._source(step)})"
        if step.kind == "cas-failed":
            return f"{name} cas fails on {read} {step.order} ({self._source(step)})"
        return f"{name} {read} -> {written} {step.kind} {step.order} ({self._source(step)})"

    def _describe_call(self, step: Step, name: str) -> str:
        """A call of the thread library: what it found, and where. c/model/objects/objects.h: what objects hold."""
        if not step.address:
            return step.kind
        if step.address >> 62 == 2:
            return step.kind if step.kind == "ends" else f"{step.kind} {name}{'' if step.read else ': not yet'}"
        found = f" ({self._source(step)})" if step.read is not None and step.from_thread else ""
        before, after = step.read or 0, step.written
        says = "" if after is None else f": {before} -> {after}"
        if step.kind in LOCKS:
            writer = (before >> 16 if "ing" in step.kind else before & 0xFF) - 1
            says = "" if after is not None else f": T{writer} has it" if writer >= 0 else ": others have it"
        elif step.kind in {"signal", "broadcast"}:
            says = f": {(before & ~(after or 0)).bit_count()} woken"
        elif step.kind == "sleep on":
            return f"{step.kind if before >> step.thread & 1 else 'woken on'} {name}{found}"
        elif step.kind in {"arrive at", "wait at"}:
            arrived = before & 0xFFFF
            says = f": {arrived} there{' before' if after is not None else ''}"
        elif after is None:
            says = f": {before}"
        elif step.kind in {"wait on", "time-out on", "wakes for no reason on"}:
            says = ""
        return f"{step.kind} {name}{says}{found}"

    def where(self, step: Step) -> tuple[str, int, str]:
        """The file, the line (0: not known) and the function of a step."""
        return self._positions.where(step.pc)

    def shown(self) -> list[Step]:
        """The steps that the text shows, in the order of the execution."""
        return [step for step in self.events if not step.hidden]

    def read_from(self) -> list[tuple[Step, Step]]:
        """Pairs of a store and a step that read from it."""
        steps = {(step.thread, step.index): step for step in self.events}
        pairs = (
            (steps.get((s.from_thread or 0, -1 if s.from_index is None else s.from_index)), s) for s in self.events
        )
        return [(store, step) for store, step in pairs if store is not None]

    def modification_order(self) -> list[tuple[Step, Step]]:
        """Pairs of stores to one object, one directly after the other in modification order."""
        steps = {(step.thread, step.index): step for step in self.events}
        stores = sorted((*at, key) for key, at in self.placed.items() if key in steps)
        return [(steps[a[2]], steps[b[2]]) for a, b in pairwise(stores) if a[0] == b[0]]

    def as_dict(self) -> dict[str, object]:
        """The execution as JSON can hold it."""
        steps = []
        for step in self.shown():
            file, line, function = self.where(step)
            steps.append(
                {
                    "thread": step.thread,
                    "index": step.index,
                    "kind": step.kind,
                    "order": step.order,
                    "variable": step.label or (self.name_of(step.address) if step.address else ""),
                    "bytes": step.size,
                    "read": step.read,
                    "written": step.written,
                    "from": None if step.from_thread is None else [step.from_thread, step.from_index],
                    "stale": step.stale,
                    "placed_before": step.place,
                    "call": step.call if step.call >= 0 else None,
                    "text": self.describe(step),
                    "file": file,
                    "line": line,
                    "function": function,
                }
            )
        calls = [
            {"thread": call.thread, "call": call.begin(), "result": None if call.pending else call.end()}
            for call in self.calls.values()
        ]
        order = [[[a.thread, a.index], [b.thread, b.index]] for a, b in self.modification_order()]
        threads = {str(thread): state for thread, state in self.threads.items()}
        return {"threads": threads, "steps": steps, "calls": calls, "modification_order": order}

    def _rows(self) -> Iterator[tuple[int, str, str]]:
        last = {step.call: number for number, step in enumerate(self.events) if step.call >= 0}
        begun: set[int] = set()
        for number, call in self.calls.items():
            if call.thread != 0:
                break
            begun.add(number)
            yield 0, call.end(), ""
        for number, step in enumerate(self.events):
            if step.call >= 0 and step.call not in begun:
                begun.add(step.call)
                yield step.thread, f"{self.calls[step.call].begin()} {{", ""
            if not step.hidden:
                indent = "  " if step.call >= 0 else ""
                yield step.thread, f"{indent}#{step.index} {self.describe(step)}", self.position(step.pc, step.near)
            if step.call >= 0 and last[step.call] == number and not self.calls[step.call].pending:
                yield step.thread, f"}} {self.calls[step.call].end()}", ""
        for number, call in self.calls.items():
            if number not in begun:
                yield call.thread, call.begin() if call.pending else call.end(), ""
        for thread, state in self.threads.items():
            if state != "finished":
                yield thread, f"*** {self.failure}" if state == "failed" else f"... {state}", ""

    def render(self, width: int = 0) -> str:
        """The execution: one column a thread, the source position behind. width: of the terminal, if it is one."""
        rows = list(self._rows())
        threads = sorted({*self.threads, *(thread for thread, _, _ in rows)})
        names = {t: f"T{t}" if t else "alone" for t in threads}
        widths = {t: max([len(names[t]), *(len(text) for who, text, _ in rows if who == t)]) for t in threads}
        stagger = sum(widths.values()) > 120  # wide: columns overlap, each a little further to the right
        starts, at = {}, 0
        for t in threads:
            starts[t] = at
            at += 16 if stagger else widths[t] + 3
        total = max([starts[t] + widths[t] for t in threads], default=0)
        if 0 < width < 5 + total + max((len(where) for *_, where in rows), default=0):
            told = [(threads.index(thread), text, where) for thread, text, where in rows]
            return "\n".join(fitted([names[t] for t in threads], told, width))
        lines = ["  " + "".join(f"{names[t]:<{(16 if stagger else widths[t] + 3)}}" for t in threads).rstrip()]
        for thread, text, where in rows:
            left = " " * starts[thread] + text
            lines.append(f"  {left:<{total}}   {where}".rstrip())
        return "\n".join(lines)
