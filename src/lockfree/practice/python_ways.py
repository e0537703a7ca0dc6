"""Comparisons of an answer in Python with numbers that are too large for a scenario by chance.

An answer that counts its calls, and leaves out its lock after a thousand, is right in every scenario. So a comparison
with such a number must come out true in some scenario, and false in some: what it leads to is judged then.
"""

import ast
import operator
import secrets
from collections.abc import Callable, Iterator

LEAST = 10
"""Numbers below are sizes that the scenarios have."""
Way = tuple[int, str, list[bool]]
"""The line of a comparison, its text, and how it came out."""
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift, ast.Pow: operator.pow,
}  # fmt: skip


def number(node: ast.AST) -> float | None:
    """The value of a number, or of a short sum, product or power of numbers; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = number(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = number(node.left), number(node.right)
        if left is None or right is None or abs(left) > 1 << 64 or not -64 <= right <= 1 << 64:
            return None
        if isinstance(node.op, ast.Pow | ast.LShift) and right > 64:
            return None
        try:
            return _OPERATORS[type(node.op)](left, right)
        except (ArithmeticError, TypeError, ValueError):
            return None
    return None


def _large(node: ast.AST) -> bool:
    value = number(node)
    return value is not None and abs(value) >= LEAST


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _names_of_numbers(tree: ast.AST) -> set[str]:
    """Names and attributes that the answer binds to a large number, such as `LIMIT = 1000`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _large(node.value):
            found |= {_name(target) for target in node.targets}
        elif isinstance(node, ast.AnnAssign) and node.value is not None and _large(node.value):
            found.add(_name(node.target))
    return found - {""}


class Ways(ast.NodeTransformer):
    """Rewrites an answer so that it tells how these comparisons come out."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._seen: list[tuple[int, str, set[bool]]] = []
        self._function = f"way_{secrets.token_hex(8)}"  # a name that no answer can use

    @property
    def given(self) -> dict[str, object]:
        """The names that the rewritten answer needs."""
        return {self._function: self._came_out}

    def rewritten(self, tree: ast.Module) -> ast.Module:
        """The answer with its comparisons wrapped; lines stay."""
        self._names = _names_of_numbers(tree)
        rewritten = self.visit(tree)
        assert isinstance(rewritten, ast.Module)
        return ast.fix_missing_locations(rewritten)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        text = ast.unparse(node)
        with_number = any(_large(part) or _name(part) in self._names for part in ast.walk(node))
        self.generic_visit(node)
        if not with_number:
            return node
        self._seen.append((node.lineno, text, set()))
        call = ast.Call(
            ast.Name(self._function, ast.Load()), [ast.Constant(len(self._seen) - 1), node], []
        )  # fmt: skip
        return ast.copy_location(call, node)

    def _came_out(self, which: int, value: object) -> object:
        if value is True or value is False:
            self._seen[which][2].add(value)
        return value

    def seen(self) -> list[Way]:
        """How each comparison came out so far."""
        return [(line, text, sorted(out)) for line, text, out in self._seen]


def one_way(stages: list[list[Way]]) -> Iterator[str]:
    """In words: the comparisons that came out in one way alone. stages: what `seen` said in each of them."""
    for told in zip(*stages, strict=True):
        line, text, _ = told[0]
        out = {value for _, _, values in told for value in values}
        if len(out) == 1:
            yield f"line {line}: {text} is {out.pop()} in every scenario"
