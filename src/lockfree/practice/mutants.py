"""Right answers with one change each, which the judge must reject or which must be explained.

C: a memory order weakened, two stores swapped, a wake or a store dropped, `while` made `if`, a comparison off by one.
Python: a wake or a lock dropped, `while` made `if`, a comparison off by one, a counter that counts the other way.
"""

import ast
import copy
import re
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lockfree.practice.c_orders import blanked, changed, orders
from lockfree.practice.catalog import Kata
from lockfree.practice.judge import judge
from lockfree.practice.results import Verdict

COMPARISON = re.compile(r"(?<![-<>=!+*/&|^%])(<=|>=|==|!=|<|>)(?![<>=])")
OFF_BY_ONE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
OF_TWO = re.compile(r"([^?:()=]+?) (?:<=|>=|<|>) ([^?:]+?) \? ([^?:]+?) : ([^?:;)]+)")
"""`a < b ? a : b`"""
CLAMP = re.compile(r"if \((\S+) (?:<=|>=|<|>) (\S+)\)\s*\1 = \2;")
"""`if (a > b) a = b;`"""
STATEMENT = re.compile(r"^(\s+)(?!return\b|if\b|else\b|for\b|while\b|do\b|break\b|continue\b|case\b)(\S[^{}]*;)\s*$")
WAKE = re.compile(r"\b\w*(?:signal|broadcast|wake|notify|unpark)\w*\s*\(", re.IGNORECASE)
LOOP = re.compile(r"^(\s*)while \((?!1\)|true\))")
SIGNS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
WAKES = {"notify", "notify_all", "set", "release", "set_result"}


@dataclass(frozen=True)
class Mutant:
    """A changed answer. what: the change in words, with the line of the right answer."""

    answer: str
    what: str
    text: str


def mutants(kata: Kata) -> Iterator[Mutant]:
    """All mutants of the right answers of a kata."""
    make = _of_python if kata.language == "python" else _of_c
    for sample in kata.samples:
        if sample.right:
            seen = {sample.path.read_text(encoding="utf-8")}
            for what, text in make(sample.path.read_text(encoding="utf-8")):
                if text not in seen:
                    seen.add(text)
                    yield Mutant(sample.path.name, what, text)


def _of_c(text: str) -> Iterator[tuple[str, str]]:
    for order in orders(text):
        for to in order.weaker() if order.order != "seq_cst" or order.kind == "fence" else ():
            yield f"line {order.line}: {order.order} is {to}", changed(text, order, to)
    plain, lines = blanked(text).split("\n"), text.split("\n")
    inside = _inside(plain)
    for at, line in enumerate(plain):
        if not inside[at]:
            continue
        for found in COMPARISON.finditer("" if _takes_one_of_two(plain, at) else line):
            other = OFF_BY_ONE[found[1]]
            mine = f"{lines[at][: found.start(1)]}{other}{lines[at][found.end(1) :]}"
            yield f"line {at + 1}: {found[1]} is {other}", "\n".join([*lines[:at], mine, *lines[at + 1 :]])
        if LOOP.match(line) and not line.rstrip().endswith(");"):
            yield (
                f"line {at + 1}: while is if",
                "\n".join([*lines[:at], line.replace("while", "if", 1), *lines[at + 1 :]]),
            )
        if STATEMENT.match(line) and WAKE.search(line):
            yield f"line {at + 1}: the wake is dropped", "\n".join([*lines[:at], _nothing(line), *lines[at + 1 :]])
        elif STATEMENT.match(line) and "atomic_store" in line:
            yield f"line {at + 1}: the store is dropped", "\n".join([*lines[:at], _nothing(line), *lines[at + 1 :]])
        if at + 1 < len(plain) and _swappable(line, plain[at + 1]):
            swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
            yield f"line {at + 1}: swapped with the next", "\n".join(swapped)


def _takes_one_of_two(plain: list[str], at: int) -> bool:
    """Whether a line takes the larger or the smaller of two: where both are equal, either one is."""
    found = OF_TWO.search(plain[at])
    if found is not None and {found[1].strip(), found[2].strip()} == {found[3].strip(), found[4].strip()}:
        return True
    return CLAMP.search(" ".join(line.strip() for line in plain[at : at + 2])) is not None


def _nothing(line: str) -> str:
    return f"{STATEMENT.sub(lambda found: found[1], line)};"


def _inside(plain: list[str]) -> list[bool]:
    """Whether a line is inside a function."""
    found, depth, inside = [], 0, False
    for line in plain:
        found.append(inside and depth > 0)
        if depth == 0 and "{" in line:
            inside = "(" in line and not line.lstrip().startswith(("struct", "enum", "union", "typedef"))
            found[-1] = inside and line.count("{") == line.count("}")  # a function in one line
        depth += line.count("{") - line.count("}")
    return found


def _swappable(line: str, following: str) -> bool:
    """Whether two lines are statements that store, one of them atomically."""
    first, second = STATEMENT.match(line), STATEMENT.match(following)
    if first is None or second is None or first[1] != second[1]:
        return False
    both = [bool(re.search(r"\batomic_store|\]\S* = |^\s*\*", text)) for text in (line, following)]
    return all(both) and "atomic_store" in line + following


def _of_python(text: str) -> Iterator[tuple[str, str]]:
    tree = ast.parse(text)
    for number, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node):
            other = copy.deepcopy(tree)
            change(list(ast.walk(other))[number])
            yield f"line {getattr(node, 'lineno', 0)}: {what}", ast.unparse(ast.fix_missing_locations(other))


_Change = Callable[[ast.AST], object]


def _changes(node: ast.AST) -> Iterator[tuple[str, _Change]]:
    compared: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    }  # fmt: skip
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in compared:
        yield "the comparison is off by one", lambda other: setattr(other, "ops", [compared[type(node.ops[0])]()])
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Lt | ast.GtE):
        yield "the comparison has one more", _one_more
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list):
            for at, statement in enumerate(body):
                yield from _of_statement(name, at, statement)


def _one_more(comparison: ast.AST) -> None:
    """The right side plus one, of a comparison of numbers."""
    assert isinstance(comparison, ast.Compare)
    comparison.comparators = [ast.BinOp(comparison.comparators[0], ast.Add(), ast.Constant(1))]


def _of_statement(name: str, at: int, statement: ast.stmt) -> Iterator[tuple[str, _Change]]:
    def put(*statements: ast.stmt) -> _Change:
        return lambda other: getattr(other, name).__setitem__(slice(at, at + 1), list(statements))

    line = statement.lineno
    if isinstance(statement, ast.While) and not isinstance(statement.test, ast.Constant) and not _loops(statement):
        yield f"while of line {line} is if", put(ast.If(statement.test, statement.body, statement.orelse))
    if isinstance(statement, ast.Expr) and _called(statement) in WAKES:
        yield f"{_called(statement)}() of line {line} is dropped", put(ast.Pass())
    if isinstance(statement, ast.With) and _is_lock(statement) and not _is_one_look(statement.body):
        yield f"the lock of line {line} is dropped", put(*statement.body)
    if isinstance(statement, ast.AugAssign) and type(statement.op) in SIGNS:
        other = copy.copy(statement)
        other.op = SIGNS[type(statement.op)]()
        yield f"line {line} counts the other way", put(other)


def _loops(loop: ast.While) -> bool:
    """Whether a loop cannot be made an `if`: it has break or continue of its own."""
    return any(isinstance(node, ast.Break | ast.Continue) for node in ast.walk(loop))


def _called(statement: ast.Expr) -> str:
    call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    return call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""


def _is_lock(statement: ast.With) -> bool:
    return len(statement.items) == 1 and isinstance(statement.items[0].context_expr, ast.Attribute | ast.Name)


def _is_one_look(body: list[ast.stmt]) -> bool:
    """Whether a block does nothing but return one value: the interpreter does that in one step anyway."""
    return len(body) == 1 and isinstance(body[0], ast.Return)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant. why: if it is known to be equivalent, the reason."""

    mutant: Mutant
    verdict: Verdict
    said: str
    seconds: float
    why: str = ""


def equivalent(kata: Kata) -> dict[tuple[str, str], str]:
    """The mutants that the judge may accept, with the reason: `mutants.toml` of the kata."""
    path = kata.folder / "mutants.toml"
    if not path.is_file():
        return {}
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return {(one["answer"], one["change"]): one["why"] for one in told.get("equivalent", [])}


def tried(kata: Kata, chosen: Callable[[Mutant], bool] = lambda _: True) -> Iterator[Outcome]:
    """Judges the mutants, one after another."""
    known = equivalent(kata)
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        for mutant in filter(chosen, mutants(kata)):
            answer = Path(scratch) / kata.file
            answer.write_text(mutant.text, encoding="utf-8")
            began = time.monotonic()
            judgement = judge(kata, answer)
            failure = judgement.failure
            said = f"{failure.stage} {failure.diagnosis}: {failure.message}" if failure is not None else ""
            why = known.get((mutant.answer, mutant.what), "")
            yield Outcome(mutant, judgement.verdict, said, time.monotonic() - began, why)
