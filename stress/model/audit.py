"""The order audit: is every memory order in c/include needed?

Weakens each order in the headers by one step, one at a time, and lets the model checker run the clients of
that header. A mutant is *caught* if some client reports a violation. What is not caught must have a written
reason in order_reasons.toml; the table goes to docs/order-audit.md.

    python stress/model/audit.py                 # the orders, and the table
    python stress/model/audit.py --mutants 40    # a sample of the other mutants: see drops_and_swaps

The sample is taken of what is not known to change nothing. A dropped statement that no client misses may still be
caught by the C tests of its header: what a call does alone is theirs to notice.
"""

import argparse
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.modelcheck import BuildError, Report, Settings, Verdict, build, clients_of
from lockfree.modelcheck.runner import run

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "c" / "include" / "lockfree"
CLIENTS = ROOT / "stress" / "model"
REASONS = CLIENTS / "order_reasons.toml"
TABLE = ROOT / "docs" / "order-audit.md"

ACCESS = re.compile(r"\blf_(load|store|exchange|cas|fetch_\w+?)_(relaxed|acquire|release|acq_rel|seq_cst)\(")
FENCE = re.compile(r"\blf_fence_(acquire|release|seq_cst|light)\(\)")
HEAVY = re.compile(r"\blf__(membarrier|settle)\(\)(?! \{)")  # the heavy half of an asymmetric fence
FUNCTION = re.compile(r"^(?:LF_INLINE|static)\b.*?\b(lf_\w+)\s*\(", re.MULTILINE)
WEAKER = {
    "load": {"seq_cst": ["acquire"], "acquire": ["relaxed"]},
    "store": {"seq_cst": ["release"], "release": ["relaxed"]},
    "rmw": {
        "seq_cst": ["acq_rel"],
        "acq_rel": ["acquire", "release"],
        "acquire": ["relaxed"],
        "release": ["relaxed"],
    },
    "fence": {"seq_cst": ["acq_rel"], "acquire": ["nothing"], "release": ["nothing"], "light": ["nothing"]},
    "heavy": {"membarrier": ["a fence"], "settle": ["a fence"]},
}
SECONDS = 3.0
NOTHING = "#define lf_fence_nothing() ((void)0)\n"


@dataclass(frozen=True)
class Mutant:
    """One change of one header. key: names the place in a way that survives edits elsewhere in the header."""

    header: str
    line: int
    key: str
    was: str
    becomes: str
    start: int
    end: int
    text: str
    source: Path  # the headers as they were when the audit began


@dataclass(frozen=True)
class Outcome:
    mutant: Mutant
    caught_by: str = ""
    kind: str = ""
    tried: int = 0  # clients that reach the place


def place_of(headers: Path, name: str) -> Path:
    """The header of that name: no two of the library's have the same."""
    return next(headers.rglob(name), headers / name)


def root_of(header: Path) -> Path:
    return next(parent for parent in header.parents if parent.name == "lockfree")


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def code_under_model(text: str) -> str:
    """The header with comments and what is not compiled with LF_MODEL blanked out, all else in place."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.DOTALL)
    lines, stack = [], []
    for line in text.split("\n"):
        directive = line.strip()
        if directive.startswith("#if"):
            model = "LF_MODEL" in directive and "ifndef" not in directive
            stack.append(None if "LF_MODEL" not in directive else model)
        elif directive.startswith("#else") and stack and stack[-1] is not None:
            stack[-1] = not stack[-1]
        elif directive.startswith("#endif") and stack:
            stack.pop()
        lines.append(line if False not in stack else " " * len(line))
    return "\n".join(lines)


def function_at(code: str, position: int) -> str:
    name = "?"
    for found in FUNCTION.finditer(code):
        if found.start() > position:
            break
        name = found[1]
    return name


def orders(header: Path) -> list[Mutant]:
    """Every weakening of every order in a header."""
    if header.stem in {"atomics", "base", "lockfree"}:
        return []
    text = header.read_text()
    code = code_under_model(text)
    seen: Counter[str] = Counter()
    found = []
    matches = [*ACCESS.finditer(code), *FENCE.finditer(code), *HEAVY.finditer(code)]
    for match in sorted(matches, key=lambda m: m.start()):
        fence, heavy = match.re is FENCE, match.re is HEAVY
        kind, order = ("heavy" if heavy else "fence", match[1]) if fence or heavy else (match[1], match[2])
        family = kind if kind in {"load", "store", "fence", "heavy"} else "rmw"
        function = function_at(code, match.start())
        stem = f"{function}.{kind}_{order}"
        seen[stem] += 1
        for weaker in WEAKER[family].get(order, []):
            new = f"lf_{kind}_{weaker}()" if fence else f"lf_{kind}_{weaker}("
            if heavy:
                new = "(lf_fence_seq_cst(), 1)"
            found.append(
                Mutant(
                    header.name,
                    text.count("\n", 0, match.start()) + 1,
                    f"{stem}.{seen[stem]}.{weaker}",
                    order,
                    weaker,
                    match.start(),
                    match.end(),
                    new,
                    root_of(header),
                )
            )
    return found


STATEMENT = re.compile(
    r"^[ ]+(?! )(?!return|if|while|for|else|do|case|goto|break|continue)[^;{}\n]+;[^\n]*\n", re.MULTILINE
)
PUBLISHES = re.compile(
    r"\blf_(?:store|cas|exchange|fetch_\w+?)_(?:relaxed|acquire|release|acq_rel|seq_cst)\("
    r"|lf_\w*(?:publish|step|notify|move_end|help|settle|announce|give_back|recover|wake|cancel|release|reap)\w*\("
)
WRITES = re.compile(r"\blf_store_|\bmemcpy\(|->[\w.]+ = |^\s*\*\w+ = ")


def drops_and_swaps(header: Path) -> list[Mutant]:
    """Left out: fences, statements that write what is shared, and calls that do; or in the other order than they stand."""
    text = header.read_text()
    code = code_under_model(text)
    found = []
    if header.stem in {"atomics", "base", "lockfree", "segment"}:
        return []

    seen: Counter[str] = Counter()

    def mutant(start: int, end: int, what: str, was: str, new: str) -> Mutant:
        line = text.count("\n", 0, start) + 1
        stem = f"{function_at(code, start)}.{what}"
        seen[stem] += 1
        return Mutant(header.name, line, f"{stem}.{seen[stem]}", was, what, start, end, new, root_of(header))

    for match in FENCE.finditer(code):
        found.append(mutant(match.start(), match.end(), "dropped", match[0], "((void)0)"))
    # not the second line of an expression
    statements = [m for m in STATEMENT.finditer(code) if code[: m.start()].rstrip()[-1:] in (";", "{", "}", ")")]
    for m in statements:
        if PUBLISHES.match(m[0].strip()):
            found.append(mutant(m.start(), m.end(), "dropped", m[0].strip(), "    ;\n"))
    for first, second in zip(statements, statements[1:], strict=False):
        if first.end() == second.start() and (
            (PUBLISHES.match(first[0].strip()) and WRITES.search(second[0]))
            or (WRITES.search(first[0]) and PUBLISHES.match(second[0].strip()))
        ):
            swapped = text[second.start() : second.end()] + text[first.start() : first.end()]
            both = " / ".join(part[0].strip() for part in (first, second))
            found.append(mutant(first.start(), second.end(), "swapped", both, swapped))
    return found


def explore(program: Path, name: str, *, threads_stop: bool, sample: bool, positions: bool = False) -> Report:
    """Exhaustively if that is quick, else at random, or not at all. By C++20's rules, which allow more."""
    settings = Settings(mode="exhaustive", seconds=SECONDS, c20=True, threads_stop=threads_stop, positions=positions)
    report = run(program, name, settings)
    if report.verdict is not Verdict.UNKNOWN or not sample:
        return report
    sampled = run(program, name, replace(settings, mode="random"))
    sampled.positions |= report.positions
    return sampled


@dataclass(frozen=True)
class Client:
    """A client that passes with the headers as they are, the lines that it reaches, and how long it takes."""

    source: Path
    name: str
    threads_stop: bool
    lines: frozenset[str]
    seconds: float

    def __str__(self) -> str:
        return self.name + (" --threads-stop" if self.threads_stop else "")


def included(source: Path, headers: Path) -> set[str]:
    """The headers that a file includes, directly or not: the library's, and those beside the file."""
    found: set[str] = set()
    open_ = [source]
    while open_:
        for name in re.findall(r'#include [<"](?:\S*/)?(\w+\.h)[>"]', open_.pop().read_text()):
            there = [p for p in (place_of(headers, name), source.parent / name) if p.exists()]
            if name not in found and there:
                found.add(name)
                open_.append(there[0])
    return found


def passing_clients(
    sources: list[Path], headers: Path, pool: concurrent.futures.Executor, *, sample: bool
) -> list[Client]:
    """The quickest first."""

    def passing(source: Path, program: Path, name: str, stop: bool) -> Client | None:
        report = explore(program, name, threads_stop=stop, sample=sample, positions=True)
        if report.verdict is not Verdict.OK:  # locks, for one, are not lock-free
            return None
        return Client(source, name, stop, frozenset(report.positions), report.seconds)

    with tempfile.TemporaryDirectory(prefix="audit-") as scratch:
        asked = []
        for source in sources:
            program = build(source, Path(scratch) / source.stem, include=[str(headers.parent)])
            asked += [
                pool.submit(passing, source, program, name, stop)
                for name in clients_of(program)
                for stop in (False, True)
            ]
        found = [client for question in asked if (client := question.result()) is not None]
    return sorted(found, key=lambda client: client.seconds)


def caught_by_test(mutant: Mutant, include: Path) -> str:
    """The first C test that uses the header and fails; empty if none does."""
    tests = shutil.copytree(ROOT / "c" / "tests", include.parent / "tests")
    for test in sorted(tests.glob("test_*.c")):
        if mutant.header not in included(test, include / "lockfree"):
            continue
        program = test.with_suffix("")
        command = [
            *compiler(),
            "-std=c11",
            "-O1",
            "-w",
            f"-I{include}",
            str(test),
            "-o",
            str(program),
            "-lpthread",
            "-lm",
        ]
        subprocess.run(command, check=True)
        try:
            done = subprocess.run([str(program)], capture_output=True, check=False, timeout=60)
        except subprocess.TimeoutExpired:
            return test.stem
        if done.returncode != 0:
            return test.stem
    return ""


def try_mutant(mutant: Mutant, clients: list[Client], *, sample: bool) -> Outcome:
    lines = {f"{mutant.header}:{line}" for line in range(mutant.line, mutant.line + 1 + mutant.was.count("/"))}
    useful = [client for client in clients if client.lines & lines]
    if not useful:  # a call that was inlined: its steps are at lines of the callee
        useful = [client for client in clients if mutant.header in included(client.source, mutant.source)]
    with tempfile.TemporaryDirectory(prefix="audit-") as scratch:
        include = Path(scratch) / "c" / "include"
        shutil.copytree(mutant.source, include / "lockfree")
        changed = place_of(include / "lockfree", mutant.header)
        text = changed.read_text()
        changed.write_text(text[: mutant.start] + mutant.text + text[mutant.end :])
        atomics = place_of(include / "lockfree", "atomics.h")
        atomics.write_text(atomics.read_text().replace("\n#endif\n", "\n" + NOTHING + "\n#endif\n"))
        programs: dict[Path, Path] = {}
        for client in useful:
            if client.source not in programs:
                try:
                    out = Path(scratch) / client.source.stem
                    programs[client.source] = build(client.source, out, include=[str(include)])
                except BuildError as error:
                    raise RuntimeError(f"{mutant.header}:{mutant.line}: {mutant.becomes}: {error}") from error
            report = explore(programs[client.source], client.name, threads_stop=client.threads_stop, sample=sample)
            if report.verdict is Verdict.VIOLATION:
                return Outcome(mutant, str(client), report.kind)
        if mutant.becomes in {"dropped", "swapped"} and (test := caught_by_test(mutant, include)):
            return Outcome(mutant, test, "a C test fails")
    return Outcome(mutant, tried=len(useful))


def try_all(mutants: list[Mutant], jobs: int, only: list[str], *, sample: bool) -> list[Outcome]:
    outcomes = []
    headers, wanted = mutants[0].source, {mutant.header for mutant in mutants}
    sources = [s for s in sorted(CLIENTS.glob("*.c")) if not only or s.name in only]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        clients = passing_clients([s for s in sources if included(s, headers) & wanted], headers, pool, sample=sample)
        for outcome in pool.map(lambda mutant: try_mutant(mutant, clients, sample=sample), mutants):
            outcomes.append(outcome)
            m = outcome.mutant
            verdict = (
                f"caught by {outcome.caught_by}: {outcome.kind}"
                if outcome.caught_by
                else f"NOT CAUGHT by {outcome.tried} clients that get there"
            )
            print(f"{m.header}:{m.line} {m.key} -> {m.becomes}: {verdict}", file=sys.stderr, flush=True)
    return outcomes


def reasons() -> dict[str, dict[str, str]]:
    return tomllib.loads(REASONS.read_text()) if REASONS.exists() else {}


def has_reason(mutant: Mutant) -> bool:
    return mutant.key in reasons().get(mutant.header[:-2], {})


def unexplained(outcomes: list[Outcome]) -> list[Mutant]:
    return [o.mutant for o in outcomes if not o.caught_by and not has_reason(o.mutant)]


HEAD = """# Order audit

Each memory order in `c/include/lockfree` weakened by one step, one at a time, and which client of the model checker
notices. Made by `python stress/model/audit.py`, which fails if an order is neither caught nor explained.

| weakenings | caught | with a written reason |
|---|---|---|
| {total} | {caught} | {explained} |
"""


def section(header: str, outcomes: list[Outcome]) -> str:
    written = reasons().get(header[:-2], {})
    lines = [
        f"## {header}",
        "",
        "| place | order | weakened to | caught by | what happens, or why it cannot be caught |",
        "|---|---|---|---|---|",
    ]
    for o in outcomes:
        m = o.mutant
        said = o.kind or written.get(m.key, "**unexplained**")
        by = f"`{o.caught_by}`" if o.caught_by else "-"
        lines.append(f"| `{'.'.join(m.key.split('.')[:3])}` | {m.was} | {m.becomes} | {by} | {said} |")
    return "\n".join(lines) + "\n"


def write_table(outcomes: list[Outcome]) -> None:
    """Replaces the sections of the audited headers, and leaves the others."""
    old = TABLE.read_text() if TABLE.exists() else ""
    sections = {part.split("\n", 1)[0]: f"## {part.rstrip()}\n" for part in old.split("\n## ")[1:]}
    for header in sorted({o.mutant.header for o in outcomes}):
        sections[header] = section(header, [o for o in outcomes if o.mutant.header == header])
    body = "\n".join(
        sections[header]
        for header in sorted(sections)
        if place_of(INCLUDE, header).exists() and orders(place_of(INCLUDE, header))
    )
    rows = re.findall(r"^\| `.*?\| .*? \| .*? \| (.*?) \|", body, re.MULTILINE)
    explained = rows.count("-")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(HEAD.format(total=len(rows), caught=len(rows) - explained, explained=explained) + "\n" + body)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--header", action="append", default=[], metavar="NAME.h")
    parser.add_argument("--source", action="append", default=[], metavar="CLIENTS.c", help="ask only these clients")
    parser.add_argument("--exhaustive", action="store_true", help="ask only clients whose every execution can be tried")
    parser.add_argument("--mutants", type=int, default=0, help="sample so many dropped fences and swapped stores")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-table", action="store_true", help="do not write docs/order-audit.md")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="audit-headers-") as copy:
        shutil.copytree(INCLUDE, Path(copy) / "lockfree")
        headers = sorted((Path(copy) / "lockfree").rglob("*.h"))
        return audit([h for h in headers if not args.header or h.name in args.header], args)


def audit(headers: list[Path], args: argparse.Namespace) -> int:
    if args.mutants:
        everything = [m for header in headers for m in drops_and_swaps(header)]
        changing = [m for m in everything if not has_reason(m)]
        sample = random.Random(args.seed).sample(changing, min(args.mutants, len(changing)))
        outcomes = try_all(sample, args.jobs, args.source, sample=not args.exhaustive)
        for o in outcomes:
            if not o.caught_by:
                print(f"not caught: {o.mutant.header}:{o.mutant.line} {o.mutant.key}: {o.mutant.was}")
        caught = sum(bool(o.caught_by) for o in outcomes)
        by_tests = sum(o.caught_by.startswith("test_") for o in outcomes)
        print(
            f"{len(outcomes)} of {len(everything)} mutants: {caught} caught, {by_tests} of them by C tests;"
            f" {len(everything) - len(changing)} more change nothing (order_reasons.toml)"
        )
        return 0 if caught >= 0.95 * len(outcomes) else 1
    outcomes = try_all(
        [m for header in headers for m in orders(header)], args.jobs, args.source, sample=not args.exhaustive
    )
    open_ = unexplained(outcomes)
    for m in open_:
        print(f"unexplained: {m.header}:{m.line} {m.key}")
    if not args.no_table:
        write_table(outcomes)
    print(f"{len(outcomes)} weakenings, {sum(bool(o.caught_by) for o in outcomes)} caught, {len(open_)} unexplained")
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main())
