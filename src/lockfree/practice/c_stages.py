"""The judge's stages for C: each runs the answer under the model checker, linked with a client of the kata.

The answer is one file; the clients see its functions through the kata's header alone. So the answer can change neither
their macros nor their names.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from lockfree.modelcheck import BuildError, Report, Settings, replay
from lockfree.modelcheck import Verdict as Found
from lockfree.modelcheck.runner import checks
from lockfree.practice import c_machine
from lockfree.practice.c_audit import audit, stronger_than_needed
from lockfree.practice.c_layout import structures
from lockfree.practice.c_orders import orders
from lockfree.practice.c_reach import Reach
from lockfree.practice.c_steps import steps
from lockfree.practice.catalog import Kata
from lockfree.practice.limits import enclosing
from lockfree.practice.results import NOT_YET, STAGES, Outcome, Result, worst
from lockfree.practice.screen import relative

ALONE = 15_000
"""Steps of one thread alone, in the stage edges: right answers need less than two thirds of them. More are a loop."""
ENOUGH = 100_000
"""Executions of a client that the kata says may be sampled. A count: on a busy machine it is the same."""
SILENT = 0.5
"""Seconds of CPU time that an answer may compute between two steps. No right answer needs a hundredth of them."""
Tell = Callable[[str], object]
"""Is told how far a stage is."""


def _sources(kata: Kata, check: str, answer: Path) -> list[str]:
    return [str(kata.folder / "check" / check), str(answer)]


def _includes(kata: Kata, stage: str) -> list[str]:
    own = str(kata.folder / "include")
    return [str(c_machine.RUNTIME / "weak"), own] if stage == "edges" else [own]


def checked(
    kata: Kata,
    answer: Path,
    stage: str,
    settings: Settings,
    tell: Tell,
    *,
    reach: Reach | None = None,
    later: tuple[str, ...] = (),
) -> Result:
    """Every client of `check/STAGE.c`, one after another until one fails. reach: learns what they reach.

    later: beginnings of the names of clients that do not count yet.
    """
    results: list[Result] = []
    executions = 0
    tell(f"{stage}: builds the clients, and before the first check of all the model checker, which takes some seconds")
    try:
        reports = checks(
            _sources(kata, f"{stage}.c", answer), settings=settings, include=_includes(kata, stage),
            enclose=enclosing(settings.seconds),
            tick=lambda client, _mode, _seconds, progress: tell(f"{client}: {progress.executions:,} executions"),
        )  # fmt: skip
        for report in reports:
            if report.client.startswith(later):
                continue
            executions += report.executions
            if reach is not None:
                reach.add(report)
            results.append(_result(kata, answer, stage, report))
            if results[-1].outcome is Outcome.FAILED:
                break
    except (BuildError, ValueError) as error:
        said = relative(str(error), kata, answer)
        return Result(stage, Outcome.FAILED, f"it does not build with the kata's clients: {said}")
    found = worst(results)
    if found.outcome is Outcome.PASSED:
        looked_at = tuple(f"{result.client}: {result.message}" for result in results)
        clients = "1 client" if len(results) == 1 else f"{len(results)} clients"
        message = f"{clients}, {'1 execution' if executions == 1 else f'{executions:,} executions'}, every one right"
        message += NOT_YET if later else ""
        return Result(stage, Outcome.PASSED, message, looked_at=looked_at)
    return found


def _result(kata: Kata, answer: Path, stage: str, report: Report) -> Result:
    if stage == "edges" and report.verdict is not Found.VIOLATION and report.beyond_steps:
        kind, message = "endless loop", f"one thread alone makes {ALONE:,} atomic steps, and does not return"
        diagnosis = kata.diagnose(stage, report.client, kind, message)
        return Result(stage, Outcome.FAILED, f"{report.client}: {kind}: {message}", diagnosis, client=report.client)
    if report.verdict is Found.OK:
        return Result(stage, Outcome.PASSED, report.bounds(), client=report.client, seconds=report.seconds)
    if report.verdict is Found.VIOLATION:
        diagnosis = kata.diagnose(stage, report.client, report.kind, report.message)
        detail = relative(report.trace.render(), kata, answer) if report.trace is not None else ""
        message = relative(f"{report.client}: {report.kind}: {report.message}", kata, answer)
        return Result(stage, Outcome.FAILED, message, diagnosis, detail, report.token, report.client, report.seconds)
    if report.verdict is Found.UNUSABLE:
        said = relative(report.message, kata, answer)
        message = f"{report.client}: the program ends without a verdict: {said}"
        return Result(stage, Outcome.FAILED, message, "ENDS", client=report.client, seconds=report.seconds)
    enough = report.client in kata.sampled and report.executions >= ENOUGH
    outcome = Outcome.PASSED if enough else Outcome.UNDECIDED
    return Result(stage, outcome, f"{report.client}: {report.bounds()}", client=report.client)


def stages(kata: Kata, answer: Path, *, full: bool, tell: Tell, later: tuple[str, ...] = ()) -> Iterator[Result]:
    """Runs the stages that the kata's folder has a client for. The advisory ones that take long: with `full`."""
    seconds = kata.seconds * (6 if full else 1)
    there = {path.stem for path in (kata.folder / "check").glob("*.c")}
    common = {"seconds": seconds, "coverage": True, "silent": SILENT}
    model = Settings(**{**common, **kata.settings})
    stop = Settings(**{**common, "threads_stop": True, **kata.settings})
    reach = Reach(answer)
    if "edges" in there:
        edges = Settings(mode="exhaustive", seconds=seconds, steps=ALONE, silent=SILENT)
        yield checked(kata, answer, "edges", edges, tell, later=later)
    yield checked(kata, answer, "model", model, tell, reach=reach)
    if "stop" in there:
        yield checked(kata, answer, "stop", stop, tell, reach=reach)
    if "threads" in there:
        tell("real threads")
        yield c_machine.threads(kata, answer, seconds)
    if "threads" in there and full:
        tell("sanitizers")
        yield c_machine.sanitizers(kata, answer, seconds)
    if "kill" in there:
        yield _killed(kata, answer, stop, seconds, tell, reach=reach)
    if _missing(reach, both_ways=kata.both_ways):  # what only a swap that fails for no reason leads to
        for name, settings in (("model", model), ("stop", stop), ("kill", stop)):
            if name not in there:
                continue
            found = checked(kata, answer, name, replace(settings, weak_failures=True), tell, reach=reach)
            if found.outcome is Outcome.FAILED:
                yield found
                return
    yield _reached(reach, both_ways=kata.both_ways)
    if "threads" in there and full:
        tell("speed")
        yield c_machine.speed(kata, answer, seconds)
    yield _layout(kata, answer, seconds, count=full and "threads" in there)
    yield from _questions(kata, answer, tell, full=full)


def _missing(reach: Reach, *, both_ways: bool) -> tuple[str, list[str]] | None:
    """What no client reached, or left out."""
    if left := reach.unreached():
        return f"no client reaches {left[0]}", left
    if both_ways and (left := reach.one_way()):
        return f"in every client it goes one way: {left[0]}", left
    return None


def _reached(reach: Reach, *, both_ways: bool) -> Result:
    """What no client reached, or left out, was not judged: the answer does otherwise after some calls."""
    if missing := _missing(reach, both_ways=both_ways):
        said, left = missing
        return Result("reach", Outcome.FAILED, said, "REACH", "\n".join(left))
    return Result("reach", Outcome.PASSED, STAGES["reach"])


def _killed(kata: Kata, answer: Path, stop: Settings, seconds: float, tell: Tell, *, reach: Reach) -> Result:
    """Stopped before each step in the model, in every interleaving; then, as a process, before each instruction."""
    modelled = checked(kata, answer, "kill", stop, tell, reach=reach)
    if modelled.outcome is Outcome.FAILED or not (kata.folder / "check" / "steps.c").is_file():
        return modelled
    tell("kill: each instruction")
    real = steps(kata, answer, seconds)
    if Outcome.UNDECIDED in {modelled.outcome, real.outcome} or real.outcome is Outcome.FAILED:
        return worst([modelled, real])
    return replace(
        real, message=f"{modelled.message}; {real.message}", looked_at=(*modelled.looked_at, *real.looked_at)
    )


def _layout(kata: Kata, answer: Path, seconds: float, *, count: bool) -> Result:
    """Advisory: the structures on their cache lines, and what a call costs."""
    found = structures(kata, answer)
    lines = [line for structure in found for line in structure.lines()]
    lines += [f"{line}: a write of one takes the line from all" for one in found for line in one.crowded()]
    if count:
        lines += [str(cost) for cost in c_machine.costs(kata, answer, seconds)]
    message = (
        "advisory: members by cache line of 64 bytes (* atomic)" if found else "advisory: no structure of your own"
    )
    return Result("layout", Outcome.NOTED, message, looked_at=tuple(lines))


def _questions(kata: Kata, answer: Path, tell: Tell, *, full: bool) -> Iterator[Result]:
    """Advisory: one question for each order that could be weaker; with `full` the answers, too."""
    there = [order for order in orders(answer.read_text(encoding="utf-8", errors="replace")) if order.weaker()]
    asked = tuple(f"{order.place}: what breaks if this is relaxed?" for order in there)
    message = (
        f"advisory: {len(asked)} about your own memory orders" if asked else "advisory: your orders are all relaxed"
    )
    yield Result("questions", Outcome.NOTED, message, looked_at=asked)
    if full and there:
        audited = list(audit(kata, answer, tell))
        needless = stronger_than_needed(audited)
        message = f"advisory: {len(audited)} weaker orders, {len(needless)} orders stronger than the clients need"
        yield Result("orders", Outcome.NOTED, message, looked_at=(*map(str, audited), *needless))


def again(kata: Kata, answer: Path, failure: Result, width: int = 0) -> str:
    """The failing execution once more, as text."""
    sources = _sources(kata, f"{failure.stage}.c", answer)
    report = replay(sources, failure.token, include=_includes(kata, failure.stage), enclose=enclosing(kata.seconds))
    if report.verdict is not Found.VIOLATION or report.trace is None:
        return "This execution shows no failure any more: the answer has changed since."
    return relative(f"{report.kind}: {report.message}\n\n{report.trace.render(width)}", kata, answer)
