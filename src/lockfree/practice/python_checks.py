"""A kata's `check.py`, loaded so that what it compares is what it seems to be.

An object says itself whether it equals another one. An answer whose `count()` returned an object that equals every
number would always be right. So whatever `check.py` compares, adds up or sorts is looked at first: a value whose class
the answer made must leave these operators as they are.
"""

import ast
import collections
from collections.abc import Callable
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

LOOK = "__look_at__"
"""The function that the transformed text calls."""
OPERATORS = frozenset(
    f"__{name}__" for name in (
        "eq", "ne", "lt", "le", "gt", "ge", "hash", "add", "radd", "sub", "rsub", "mul", "rmul", "mod", "rmod",
        "floordiv", "rfloordiv", "truediv", "rtruediv", "and", "rand", "or", "ror", "xor", "rxor", "neg", "abs",
        "index",
    )
)  # fmt: skip
TAKEN_APART = frozenset({"sorted", "set", "frozenset", "sum", "max", "min", "Counter"})
"""Functions that compare or add up what they are given."""
_SIMPLE = frozenset({int, str, float, bool, bytes, type(None)})
_MRO: Any = type.__dict__["__mro__"].__get__
_PARTS: Any = type.__dict__["__dict__"].__get__
"""Of a class, whatever its own class makes of these names."""


class Values:
    """Looks at values. dishonest: is told of the first that must not be compared, and ends the process."""

    def __init__(self, dishonest: Callable[[str], object]) -> None:
        self._tell = dishonest
        self._known: set[type] = set()

    def remember(self) -> None:
        """All classes that there are now are not the answer's."""
        rest: list[type] = [object]
        while rest:
            kind = rest.pop()
            if kind not in self._known:
                self._known.add(kind)
                rest += type.__subclasses__(kind)

    def look_at(self, value: Any) -> Any:
        """Returns the value."""
        if type(value) in _SIMPLE:
            return value
        rest, seen = [value], set()
        while rest:
            one = rest.pop()
            kind = type(one)
            if kind in _SIMPLE or id(one) in seen:
                continue
            seen.add(id(one))
            bases = _MRO(kind)
            if kind not in self._known:
                rest += self._of_the_answer(one, kind, bases)
            for base in (list, tuple, set, frozenset, collections.deque):
                if base in bases:
                    rest += base.__iter__(one)
            if dict in bases:
                rest += [part for pair in dict.items(one) for part in pair]
        return value

    def _of_the_answer(self, value: Any, kind: type, bases: tuple[type, ...]) -> list[Any]:
        """The fields of a dataclass, whose operators compare these."""
        fields: list[Any] = []
        for base in bases:
            if base in self._known:
                continue
            parts = _PARTS(base)
            for name in sorted(OPERATORS & set(parts)):
                code = getattr(parts[name], "__code__", None)
                if "__dataclass_fields__" in parts and code is not None and code.co_filename == "<string>":
                    fields = list(getattr(value, "__dict__", {}).values())
                elif parts[name] is not None:
                    self._tell(f"it returns a {kind.__name__}, whose {name} is its own; the judge compares with it")
        return fields


class _Looking(ast.NodeTransformer):
    """Puts `LOOK(…)` around what is compared."""

    def _looked_at(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Constant | ast.GeneratorExp | ast.Starred):
            return node
        call = ast.Call(ast.Name(LOOK, ast.Load()), [node], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if any(not isinstance(one, ast.Is | ast.IsNot) for one in node.ops):
            node.left = self._looked_at(node.left)
            node.comparators = [self._looked_at(other) for other in node.comparators]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        node.left, node.right = self._looked_at(node.left), self._looked_at(node.right)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        node.value = self._looked_at(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in TAKEN_APART:
            node.args = [self._looked_at(argument) for argument in node.args]
        return node


def load_check(path: Path, look_at: Callable[[Any], Any] | None = None) -> ModuleType:
    """The module of a kata's `check.py`. look_at: gets what is compared, and returns it."""
    spec = util.spec_from_file_location("lockfree_practice_check", path)
    assert spec is not None
    module = util.module_from_spec(spec)
    tree = ast.parse(path.read_bytes(), str(path))
    if look_at is not None:
        tree = _Looking().visit(tree)
        vars(module)[LOOK] = look_at
    exec(compile(tree, str(path), "exec"), vars(module))  # noqa: S102 - the kata's own file
    return module
