"""The memory orders in a C source: where they stand, and the same source with one of them weaker.

Looks at the text, with comments and strings blanked. Calls without an order (`atomic_load(&x)`) have seq_cst.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

CALL = re.compile(
    r"\batomic_(load|store|exchange|flag_test_and_set|flag_clear|fetch_\w+?|compare_exchange_(?:strong|weak))"
    r"(_explicit)?\s*\("
)
FENCE = re.compile(r"\batomic_thread_fence\s*\(")
ORDER = re.compile(r"\bmemory_order_(relaxed|consume|acquire|release|acq_rel|seq_cst)\b")
FUNCTION = re.compile(
    r"^(?!(?:typedef|struct|enum|union|return|else)\b)[A-Za-z_][^;{}#=]*?\b(\w+)\s*\([^;{}]*\)\s*\{", re.MULTILINE
)
BLANKED = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.DOTALL)
WEAKER: dict[str, dict[str, tuple[str, ...]]] = {
    "load": {"seq_cst": ("acquire",), "acquire": ("relaxed",), "consume": ("relaxed",)},
    "store": {"seq_cst": ("release",), "release": ("relaxed",)},
    "rmw": {
        "seq_cst": ("acq_rel",),
        "acq_rel": ("acquire", "release"),
        "acquire": ("relaxed",),
        "release": ("relaxed",),
        "consume": ("relaxed",),
    },
    "fence": {
        "seq_cst": ("acq_rel",),
        "acq_rel": ("acquire", "release"),
        "acquire": ("relaxed",),
        "release": ("relaxed",),
    },
}
"""By kind of access and its order: the orders that are one step weaker. A relaxed fence does nothing."""


@dataclass(frozen=True)
class Order:
    """One order in the source. start, end: of the text that says it; insert: what to write in front of a new one.

    call: `atomic_store_explicit(&ring->tail, …)`; kind: load, store, rmw or fence; explicit: where `_explicit` is
    missing in the call's name, -1 if it is there.
    """

    line: int
    function: str
    call: str
    kind: str
    order: str
    start: int
    end: int
    failure: bool = False
    explicit: int = -1

    @property
    def place(self) -> str:
        what = " (where it fails)" if self.failure else ""
        return f"line {self.line}, {self.function}: {self.call}{what}, {self.order}"

    def weaker(self) -> tuple[str, ...]:
        return WEAKER[self.kind].get(self.order, ())


def blanked(text: str) -> str:
    """The text with comments, strings and characters made blank, of the same length."""
    return BLANKED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _closing(text: str, opening: int) -> int:
    """Where the parenthesis that opens at `opening` is closed; the end of the text if it is not."""
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def _kind(name: str) -> str:
    if name == "load":
        return "load"
    return "store" if name in {"store", "flag_clear"} else "rmw"


def orders(text: str) -> list[Order]:
    """All orders of atomic calls and fences, as they stand in the text."""
    plain = blanked(text)
    starts = [0, *(found.end() for found in re.finditer("\n", plain))]
    functions = [(found.start(), found[1]) for found in FUNCTION.finditer(plain)]
    return sorted(_orders(text, plain, starts, functions), key=lambda order: order.start)


def _orders(text: str, plain: str, starts: list[int], functions: list[tuple[int, str]]) -> Iterator[Order]:
    for found in (*CALL.finditer(plain), *FENCE.finditer(plain)):
        end = _closing(plain, found.end() - 1)
        line = bisect_right(starts, found.start())
        before = [name for at, name in functions if at < found.start()]
        function = before[-1] if before else "?"
        call = _short(text[found.start() : end + 1])
        if found.re is FENCE:
            for order in ORDER.finditer(plain, found.end(), end):
                yield Order(line, function, call, "fence", order[1], order.start(), order.end())
            continue
        kind = _kind(found[1])
        named = [order for order in ORDER.finditer(plain, found.end(), end) if _outermost(plain, found.end(), order)]
        for number, order in enumerate(named):
            failed = number == 1 and found[1].startswith("compare")
            yield Order(
                line, function, call, "load" if failed else kind, order[1], order.start(), order.end(), failed
            )  # fmt: skip
        if not found[2]:
            yield Order(line, function, call, kind, "seq_cst", end, end, explicit=found.end(1))


def _outermost(plain: str, begin: int, order: re.Match[str]) -> bool:
    """Whether an order belongs to the call itself, not to another call among its arguments."""
    between = plain[begin : order.start()]
    return between.count("(") == between.count(")")


def _short(call: str) -> str:
    call = " ".join(call.split())
    call = re.sub(r",\s*memory_order_\w+", "", call).replace("_explicit", "")
    return call if len(call) <= 70 else f"{call[:67]}…)"


def changed(text: str, order: Order, to: str) -> str:
    """The text with one order changed."""
    if order.explicit < 0:
        return f"{text[: order.start]}memory_order_{to}{text[order.end :]}"
    failing = (
        f", memory_order_{'relaxed' if to in {'release', 'relaxed'} else 'acquire'}" if "compare" in order.call else ""
    )
    within = f"{text[order.explicit : order.start]}, memory_order_{to}{failing}"
    return f"{text[: order.explicit]}_explicit{within}{text[order.end :]}"


def single(text: str) -> Iterator[tuple[Order, str, str]]:
    """Each order with each order that is one step weaker, and the text with it."""
    for order in orders(text):
        for to in order.weaker():
            yield order, to, changed(text, order, to)
