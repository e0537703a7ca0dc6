"""Which instructions of a Python function touch shared data, and which data.

A trace function is told of each instruction before it runs, but not what stands on the stack. So the expression that
put the object there is looked up in the code (`self.items` in `self.items[key] = 1`), and evaluated again where that
has no effect: local names, global names, attributes in an instance's dictionary or slot, and constant keys.
"""

import array
import bisect
import builtins
import collections
import dis
import gc
import heapq
import math
import sys
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FrameType, MemberDescriptorType, ModuleType
from typing import Any

UNKNOWN = object()
Resolver = Callable[[FrameType], object]

NOTHING = {"NOP", "CACHE", "RESUME", "PRECALL", "KW_NAMES", "EXTENDED_ARG", "MAKE_CELL", "COPY_FREE_VARS", "NOT_TAKEN"}
STORES = {"POP_TOP", "STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR", "STORE_SUBSCR"}
"""They push nothing."""
ONE = (
    "LOAD_", "BINARY_", "COMPARE_OP", "IS_OP", "CONTAINS_OP", "BUILD_", "UNARY_", "FORMAT_", "CALL", "GET_ITER",
    "CONVERT_VALUE", "TO_BOOL", "MAKE_FUNCTION", "PUSH_NULL",
)  # fmt: skip
"""Beginnings of names of instructions that push one value, unless `_pushes` knows better."""
CALL = "PRECALL" if sys.version_info < (3, 12) else "CALL"
"""The instruction at which the arguments of a call lie on the stack."""
IN_PLACE = 13
"""The first argument of `BINARY_OP` for `x += y` and its like."""
TAKEN_APART = {
    "LIST_EXTEND": 0, "SET_UPDATE": 0, "DICT_UPDATE": 0, "DICT_MERGE": 0, "UNPACK_SEQUENCE": 0, "UNPACK_EX": 0,
    "FORMAT_SIMPLE": 0, "FORMAT_WITH_SPEC": 1, "CONVERT_VALUE": 0,
}  # fmt: skip
"""Instructions that go over all items of a container, and how deep it lies on the stack."""
SUBSCRIPT = 26
"""The argument of `BINARY_OP` for `x[y]`, from Python 3.14 on."""


ASKS = ("_IF_FALSE", "_IF_TRUE", "_IF_FALSE_OR_POP", "_IF_TRUE_OR_POP")
"""Endings of names of instructions that ask whether something is empty."""
_BUILT_IN = (list, dict, set, bytearray, collections.deque)
_PLAIN = (*_BUILT_IN, array.array)
_IN_PYTHON = frozenset({
    collections.UserDict, collections.UserList, collections.ChainMap, weakref.WeakValueDictionary,
    weakref.WeakKeyDictionary, weakref.WeakSet,
})  # fmt: skip
"""Those of the library that are written in Python, too: its code is one step."""
READERS = {
    "get", "keys", "values", "items", "copy", "count", "index", "union", "intersection", "difference", "isdisjoint",
    "issubset", "issuperset", "find", "__len__", "__contains__", "__getitem__", "__iter__",
}  # fmt: skip
"""Methods of containers that change nothing; all others write."""
LOOKING = {
    len,
    sum,
    min,
    max,
    any,
    all,
    sorted,
    iter,
    repr,
    print,
    list,
    tuple,
    dict,
    set,
    frozenset,
    reversed,
    enumerate,
    bytes,
    bytearray,
    str,
    collections.deque,
    collections.Counter,
    collections.OrderedDict,
    math.fsum,
    math.prod,
}
"""Functions that change none of their arguments."""
CHANGING = {getattr(heapq, name) for name in ("heappush", "heappop", "heapify", "heappushpop", "heapreplace")}
CHANGING |= {bisect.insort_left, bisect.insort_right, next}
NAMED = {getattr: False, hasattr: False, setattr: True, delattr: True}
"""Functions that touch an attribute by its name, and whether they write it."""
VIEWS = {"items", "keys", "values"}
WRAPPERS = {"enumerate", "reversed", "zip", "iter", "map", "filter"}
"""Functions whose result goes over what they are given, later."""
_EXAMPLES: tuple[Any, ...] = ({}.items(), {}.keys(), {}.values(), enumerate(()), zip(), map(str, ()), filter(None, ()))
THROUGH = (
    *{type(example) for example in (*_EXAMPLES, *map(iter, _EXAMPLES[:3]), *(iter(kind()) for kind in _BUILT_IN))},
    type(reversed([])), type(reversed({})), type(reversed({}.items())), type(reversed({}.values())), tuple,
)  # fmt: skip
"""Types of views and iterators: what they go over is inside of them."""


def is_container(value: object) -> bool:
    """Whether the value holds others. `isinstance` asks abstract base classes, which takes long."""
    return isinstance(value, _PLAIN) or not _IN_PYTHON.isdisjoint(type(value).__mro__)


Touch = tuple[object, bool]
"""Stands for the data that is touched, and whether it is written."""


@dataclass(frozen=True)
class Access:
    """An instruction that touches shared data. touch: what, or None. shown: how to print it. value: what is read."""

    touch: Callable[[FrameType], Touch | None]
    shown: str
    value: Resolver | None = None


def _pushes(instruction: dis.Instruction) -> int | None:
    name, argument = instruction.opname, instruction.arg or 0
    if name in NOTHING or name in STORES:
        return 0
    if name == "LOAD_GLOBAL":
        return 1 + (argument & 1)
    if name == "LOAD_METHOD":
        return 2
    if name in {"LOAD_ATTR", "LOAD_SUPER_ATTR"} and sys.version_info >= (3, 12):
        return 1 + (argument & 1)
    if name.startswith(("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")):
        return 2
    if name.startswith(ONE):
        return 1
    return None


class Analysis:
    """The accesses of one code object, by offset."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.instructions = [i for i in dis.get_instructions(code) if i.opname not in {"CACHE", "EXTENDED_ARG"}]
        self.accesses: dict[int, Access] = {}
        for number, instruction in enumerate(self.instructions):
            access = self._access(number, instruction)
            if access is not None:
                self.accesses[instruction.offset] = access
        self.touching = bytes(offset in self.accesses for offset in range(max(self.accesses, default=-1) + 1))
        """Whether there is an access at an offset, for the tracer."""

    def _producer(self, number: int, depth: int) -> int | None:
        """The instruction that pushed what lies `depth` below the top of the stack, seen before `number`."""
        at = number - 1
        while at >= 0:
            instruction = self.instructions[at]
            name, argument = instruction.opname, instruction.arg or 0
            if name == "COPY":
                depth = argument - 1 if depth == 0 else depth - 1
            elif name == "SWAP":
                depth = {0: argument - 1, argument - 1: 0}.get(depth, depth)
            else:
                pushed = _pushes(instruction)
                if pushed is None or instruction.is_jump_target:
                    return at if pushed and depth < pushed else None
                if depth < pushed:
                    return at
                try:
                    net = dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
                except ValueError:
                    return None
                depth += -net
            at -= 1
        return None

    def _resolver(self, number: int, depth: int) -> Resolver | None:
        """Evaluates again what lies `depth` below the top of the stack, before instruction `number`."""
        at = self._producer(number, depth)
        if at is None:
            return None
        instruction = self.instructions[at]
        name, wanted = instruction.opname, instruction.argval
        if "LOAD_FAST_LOAD_FAST" in name or "LOAD_FAST_BORROW_LOAD_FAST_BORROW" in name:
            pushed_last = self._depth_within(at, number, depth) == 0
            wanted = wanted[1] if pushed_last else wanted[0]
            return lambda frame: frame.f_locals.get(wanted, UNKNOWN)
        if name.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF")):
            return lambda frame: frame.f_locals.get(wanted, UNKNOWN)
        if name in {"LOAD_GLOBAL", "LOAD_NAME"}:
            return lambda frame: frame.f_globals.get(wanted, getattr(builtins, wanted, UNKNOWN))
        if name in {"LOAD_CONST", "LOAD_SMALL_INT"}:
            return lambda _frame: wanted
        if name in {"LOAD_ATTR", "LOAD_METHOD"}:
            base = self._resolver(at, 0)
            return None if base is None else _attribute(base, wanted)
        if name == "BINARY_SUBSCR" or (name == "BINARY_OP" and instruction.arg == SUBSCRIPT):
            container, key = self._resolver(at, 1), self._resolver(at, 0)
            if container is None or key is None:
                return None
            return lambda frame: plain_item(container(frame), key(frame))
        return None

    def _depth_within(self, at: int, number: int, depth: int) -> int:
        """How deep in what instruction `at` pushed the wanted value lies."""
        probe = number - 1
        while probe > at:
            instruction = self.instructions[probe]
            if instruction.opname == "COPY":
                depth = (instruction.arg or 0) - 1 if depth == 0 else depth - 1
            elif instruction.opname == "SWAP":
                argument = instruction.arg or 0
                depth = {0: argument - 1, argument - 1: 0}.get(depth, depth)
            else:
                depth -= dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
            probe -= 1
        return depth

    def _access(self, number: int, instruction: dis.Instruction) -> Access | None:
        name, wanted = instruction.opname, instruction.argval
        writes = not name.startswith("LOAD")
        if name in {"LOAD_ATTR", "STORE_ATTR", "DELETE_ATTR", "LOAD_METHOD"}:
            base = self._resolver(number, 0)
            value = None if base is None or writes else _attribute(base, wanted)
            return Access(_part_of(base, wanted, writes), f"{self._said(number, 0)}.{wanted}", value)
        if name in {"LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL"}:
            value = None if writes else lambda frame: frame.f_globals.get(wanted, UNKNOWN)
            return Access(lambda frame: ((id(frame.f_globals), wanted), writes), str(wanted), value)
        if name in {"LOAD_DEREF", "STORE_DEREF", "DELETE_DEREF"}:
            touch = (self.code.co_filename, wanted), writes
            value = None if writes else lambda frame: frame.f_locals.get(wanted, UNKNOWN)
            return Access(lambda _frame: touch, str(wanted), value)
        depth = self._container_depth(instruction)
        if depth is not None:
            base = self._container(number, depth)
            writes = name in {"STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"}
            return Access(_part_of(base, "[]", writes), self._said(number, depth), None if writes else base)
        depth = 1 if name == "FORMAT_VALUE" and (instruction.arg or 0) & 4 else TAKEN_APART.get(name)
        if name == "FORMAT_VALUE" or depth is not None:
            return self._compared(number, [depth or 0], writes=False)
        if name in {"COMPARE_OP", "BINARY_OP"}:
            in_place = name == "BINARY_OP" and (instruction.arg or 0) >= IN_PLACE
            return self._compared(number, [1, 0], writes=in_place)
        if name == "FOR_ITER" and number:
            before = number - 1 if self.instructions[number - 1].opname == "GET_ITER" else number
            base = self._container(before, 0)
            return Access(_part_of(base, "[]", False), self._said(before, 0), base)
        if name == CALL:
            return self._call(number, instruction.arg or 0)
        if name in {"UNARY_NOT", "TO_BOOL"} or name.endswith(ASKS):
            base = self._container(number, 0)
            return None if base is None else Access(_asked(base), self._said(number, 0), base)
        return None

    def _compared(self, number: int, depths: Sequence[int], *, writes: bool) -> Access | None:
        """An instruction on whole values: the first of them that is a container. writes: that one, if it is changed."""
        there = [(depth, base) for depth in depths if (base := self._container(number, depth)) is not None]
        if not there:
            return None

        def touch(frame: FrameType) -> Touch | None:
            for depth, base in there:
                if is_container(found := base(frame)):
                    return (id(found), "[]"), writes and depth == depths[0]
            return None

        return Access(touch, self._said(number, there[0][0]), there[0][1])

    def _call(self, number: int, arguments: int) -> Access | None:
        """A call that may be of a container's method, or of a function that looks at one."""
        for depth in (arguments, arguments + 1):
            at = self._producer(number, depth)
            if at is None:
                return None
            called = self.instructions[at]
            given = [self._container(number, argument) for argument in reversed(range(arguments))][:3]
            if called.opname in {"LOAD_METHOD", "LOAD_ATTR"}:
                base, name = self._resolver(at, 0), called.argval
                return None if base is None else Access(_method_of(base, name, given), f"{self._said(at, 0)}.{name}()")
            if called.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF")):
                function = self._resolver(number, depth)
                return None if function is None else Access(_function_on(function, given), f"{called.argval}()")
        return None

    def _container(self, number: int, depth: int) -> Resolver | None:
        """As `_resolver`; a view, an iterator and an enumeration stand for the container that they go over."""
        plain = self._resolver(number, depth)
        if plain is not None:
            return lambda frame: underlying(plain(frame))
        at = self._producer(number, depth)
        if at is None or self.instructions[at].opname != "CALL":
            return None
        arguments = self.instructions[at].arg or 0
        for below in (arguments, arguments + 1):
            made = self._producer(at, below)
            if made is None:
                return None
            called = self.instructions[made]
            if called.opname in {"LOAD_METHOD", "LOAD_ATTR"}:
                return self._resolver(made, 0) if called.argval in VIEWS else None
            if called.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME")):
                inner = [self._container(at, argument) for argument in range(arguments)]
                return next(filter(None, inner), None) if called.argval in WRAPPERS else None
        return None

    @staticmethod
    def _container_depth(instruction: dis.Instruction) -> int | None:
        """How deep the container lies on the stack, for an instruction on the items of one."""
        name = instruction.opname
        if name in {"BINARY_SUBSCR", "DELETE_SUBSCR", "STORE_SUBSCR"}:
            return 1
        if name == "BINARY_OP" and instruction.arg == SUBSCRIPT:
            return 1
        return {"CONTAINS_OP": 0, "GET_ITER": 0, "BINARY_SLICE": 2, "STORE_SLICE": 2}.get(name)

    def _said(self, number: int, depth: int) -> str:
        """The expression in the source, roughly."""
        at = self._producer(number, depth)
        if at is None:
            return "…"
        instruction = self.instructions[at]
        name = instruction.opname
        if name in {"LOAD_ATTR", "LOAD_METHOD"}:
            return f"{self._said(at, 0)}.{instruction.argval}"
        if name.startswith(("LOAD_FAST_LOAD", "LOAD_FAST_BORROW_LOAD")):
            last = self._depth_within(at, number, depth) == 0
            return str(instruction.argval[1 if last else 0])
        if name.startswith("LOAD_") and instruction.argval != ".0":
            return str(instruction.argval)
        return "…"


def _part_of(base: Resolver | None, part: str, writes: bool) -> Callable[[FrameType], Touch]:
    """An attribute of an object, or its items. Of an object that is not known, the name of the part stands for all."""
    unknown = ("?", part), writes
    if base is None:
        return lambda _frame: unknown

    def touch(frame: FrameType) -> Touch:
        found = base(frame)
        return unknown if found is UNKNOWN else ((id(found), part), writes)

    return touch


def _asked(base: Resolver) -> Callable[[FrameType], Touch | None]:
    """Whether a container is empty."""

    def touch(frame: FrameType) -> Touch | None:
        found = base(frame)
        return ((id(found), "[]"), False) if is_container(found) else None

    return touch


def _attribute(base: Resolver, name: str) -> Resolver:
    return lambda frame: plain_attribute(base(frame), name)


def _method_of(base: Resolver, name: str, given: "list[Resolver | None]") -> Callable[[FrameType], Touch | None]:
    writes = name not in READERS

    def touch(frame: FrameType) -> Touch | None:
        found = base(frame)
        if is_container(found):
            return (id(found), "[]"), writes
        if isinstance(found, str | bytes):  # join() and translate() look at what they are given
            return _call_of(len, given, frame)
        return _call_of(vars(found).get(name), given, frame) if isinstance(found, ModuleType) else None

    return touch


def _function_on(function: Resolver, given: "list[Resolver | None]") -> Callable[[FrameType], Touch | None]:
    return lambda frame: _call_of(function(frame), given, frame)


def _call_of(called: object, given: "list[Resolver | None]", frame: FrameType) -> Touch | None:
    """What a function in C touches: the container that it belongs to, or the first one that it is given."""
    owner = getattr(called, "__self__", None) if isinstance(called, BuiltinFunctionType) else None
    if is_container(owner):
        return (id(owner), "[]"), getattr(called, "__name__", "") not in READERS
    try:
        writes, named = called in CHANGING, NAMED.get(called)  # type: ignore[call-overload]
        if not (writes or called in LOOKING or isinstance(called, BuiltinFunctionType)):
            return None
    except TypeError:  # it has no hash
        return None
    values = [argument(frame) if argument is not None else UNKNOWN for argument in given]
    if named is not None:
        known = len(values) > 1 and values[0] is not UNKNOWN and isinstance(values[1], str)
        return ((id(values[0]), values[1]), named) if known else None
    return next((((id(value), "[]"), writes) for value in values if is_container(value)), None)


def underlying(value: object, depth: int = 4) -> object:
    """The container that a view or an iterator goes over; every other value is its own."""
    if is_container(value) or type(value) not in THROUGH or not depth:
        return value
    found = (underlying(part, depth - 1) for part in gc.get_referents(value))
    return next((part for part in found if is_container(part)), value)


def plain_attribute(of: object, name: str) -> object:
    """The attribute if reading it runs no code of the program."""
    if of is UNKNOWN:
        return UNKNOWN
    try:
        values = object.__getattribute__(of, "__dict__")
        if type(values) is dict and name in values:
            return values[name]
    except AttributeError:
        pass
    for base in type(of).__mro__:
        found = base.__dict__.get(name, UNKNOWN)
        if isinstance(found, MemberDescriptorType):
            try:
                return found.__get__(of, type(of))
            except AttributeError:
                return UNKNOWN
        if found is not UNKNOWN:
            return UNKNOWN if hasattr(type(found), "__get__") else found
    return UNKNOWN


def plain_item(of: object, key: object) -> object:
    """The item, of exactly a list, a tuple or a dictionary."""
    try:
        if isinstance(of, list | tuple) and type(of) in {list, tuple} and type(key) is int:
            return of[key]
        if type(of) is dict and type(key) in {int, str, bytes, tuple}:
            return of[key]
    except (LookupError, TypeError):
        pass
    return UNKNOWN
