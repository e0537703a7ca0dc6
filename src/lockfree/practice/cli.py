"""`lockfree practice`: the command line of the practice mode."""

import argparse
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lockfree._command import UsageError, complete, named_path, need_page, refuse, try_file, write_whole
from lockfree._compiler import compiler, has_compiler, need_compiler, no_compiler
from lockfree.practice import rounds, workspace
from lockfree.practice.catalog import LANGUAGES, LEVELS, Kata, find, katas
from lockfree.practice.results import STAGES, Judgement, Outcome, Result, Verdict
from lockfree.practice.terminal import cut, flowed, hanging, width

if TYPE_CHECKING:
    from lockfree.practice.selftest import Row

CLEAR = "\r\033[K"
MINUTES = 45
"""Of a round."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the `practice` command."""
    parser = subparsers.add_parser(
        "practice",
        help="exercises in concurrency, with a judge that reads every interleaving",
        description="An exercise is called a kata. Without a command: all katas, by level, with your stars. "
        "Exit status of check: 0 ACCEPT, 1 REJECT, 2 UNDECIDED, 3 unusable.",
    )
    parser.set_defaults(run=_list)
    commands = parser.add_subparsers(dest="practice", metavar="COMMAND", help="what to do (default: list the katas)")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    start = add("start", "make a folder with a kata and its starter")
    named = [start.add_argument("kata", metavar="KATA", help="its name")]
    start.add_argument("folder", metavar="FOLDER", nargs="?", type=named_path, help="where (default: ./KATA)")
    start.set_defaults(run=_start)
    check = add("check", "judge your answer")
    check.add_argument("--full", action="store_true", help="search six times as long, and run every advisory stage")
    check.set_defaults(run=_check)
    why = add("why", "run the failing execution again, in columns")
    why.add_argument(
        "diagnosis", metavar="DIAGNOSIS", nargs="?", help="explain this one instead of the last; or the folder"
    )
    why.set_defaults(run=_why)
    hint = add("hint", "show the next hint; each costs a star")
    hint.set_defaults(run=_hint)
    debrief = add("debrief", "what the kata teaches, after an ACCEPT")
    debrief.add_argument("--now", action="store_true", help="also before an ACCEPT")
    debrief.set_defaults(run=_debrief)
    reports = add("report", "a page with the whole debrief (needs lockfree[tools])")
    reports.add_argument("--out", type=named_path, metavar="FILE", help="where to (default: report.html in the folder)")
    reports.set_defaults(run=_report)
    for command in (check, hint, debrief, reports):
        command.add_argument("place", metavar="FOLDER", nargs="?", type=named_path, help="the same as --in FOLDER")
    for command in (check, why, hint, debrief, reports):
        command.add_argument(
            "--in", dest="folder", type=named_path, metavar="FOLDER",
            help="the folder that `start` made, with your answer in it (default: the one that you are in)",
        )  # fmt: skip
    begins = add("round", "a timed round: a blank file, requirements in parts, and only the examples are judged")
    which = "which one (default: one that you have not solved)"
    named.append(begins.add_argument("kata", metavar="KATA", nargs="?", help=which))
    begins.add_argument("--minutes", type=float, metavar="N", help=f"its length (default: {MINUTES})")
    begins.add_argument(
        "--in", dest="folder", type=named_path, metavar="FOLDER", help="of a round that runs: what is new"
    )
    begins.add_argument("--end", action="store_true", help="end it: with --in; then all stages run")
    begins.set_defaults(run=_round)
    breaks = add("break", "be the scheduler, and make a wrong answer fail, step by step")
    named.append(breaks.add_argument("kata", metavar="KATA", help="its name"))
    breaks.add_argument(
        "answer", metavar="ANSWER", nargs="?", default="", help="which wrong answer (default: the first)"
    )
    breaks.add_argument("--list", action="store_true", help="which there are")
    breaks.set_defaults(run=_break)
    test = add("selftest", "test the judge with all right and wrong answers that it knows")
    named.append(test.add_argument("katas", metavar="KATA", nargs="*", help="only of these"))
    for argument in named:
        complete(argument, lambda: [kata.name for kata in katas()])
    test.add_argument("--kata", action="append", default=[], metavar="KATA", help="the same (may be repeated)")
    test.add_argument("--language", choices=sorted(LANGUAGES), help="only of the katas in this language")
    test.add_argument("--answer", metavar="TEXT", default="", help="only answers with this text in their name")
    test.add_argument("--times", type=int, metavar="N", help="judge each answer so often (default: 1)")
    test.add_argument(
        "--machine", choices=("idle", "loaded", "one"), default="idle",
        help="as it is (the default), with busy processes beside, or on one processor",
    )  # fmt: skip
    test.add_argument(
        "--part", action="append", choices=list(PARTS), default=[],
        help="only this one (may be repeated; default: all, or the answers alone where others are left out)",
    )  # fmt: skip
    test.set_defaults(run=_selftest)


def _list(_args: argparse.Namespace) -> int:
    progress = workspace.read_progress()
    there = katas()
    for level, name in enumerate(LEVELS):
        of_level = [kata for kata in there if kata.level == level]
        if of_level:
            print(f"Level {level}: {name}{'' if level else ' (you are the scheduler: lockfree practice break KATA)'}")
        for kata in of_level:
            about = progress.get(kata.name, {})
            reached = "★" * workspace.stars(about) if about.get("accepted") else "started" if about else ""
            row = f"  {kata.name:<19} {LANGUAGES[kata.language]:<6} {kata.minutes:>3} min  {reached:<7} {kata.title}"
            print(cut(row, width()))
    if not has_compiler():
        print(f"\n{no_compiler(compiler())}.\nThe katas in C need it; those in Python do not.")
    usable = [kata for kata in there if kata.language == "python" or has_compiler()]
    following = next((kata for kata in usable if not progress.get(kata.name, {}).get("accepted")), None)
    if following is not None:
        print(f"\nnext: lockfree practice start {following.name}")
    return 0


def _start(args: argparse.Namespace) -> int:
    kata = find(args.kata)
    folder = args.folder if args.folder is not None else Path(kata.name)
    for path in workspace.start(kata, folder):
        print(f"made  {path}")
    print(f"\n{flowed(kata.text('statement').strip(), width())}\n\nYour answer: {folder / kata.file}")
    print(f"Then: lockfree practice check --in {folder}")
    if kata.language == "c" and not has_compiler():
        print(f"\nThis kata is in C. {no_compiler(compiler())}.")
    return 0


def _folder(args: argparse.Namespace) -> tuple[Kata, Path]:
    """The kata and the answer. The folder may be named by its place alone, as `start` names the kata."""
    place = getattr(args, "place", None)
    if place is not None and args.folder is not None:
        raise UsageError(f"{place} and --in {args.folder}: name one folder")
    args.folder = place or args.folder or Path()
    kata = workspace.kata_of(args.folder)
    return kata, args.folder / kata.file


def line(result: Result) -> str:
    """One line of the judge."""
    name = f" {result.diagnosis}" if result.diagnosis else ""
    return f"{result.outcome.value:<10} {result.stage:<10}{name} {result.message}  ({result.seconds:.1f} s)"


def _check(args: argparse.Namespace) -> int:
    kata, answer = _folder(args)
    running = rounds.of(args.folder)
    if running is not None and running.runs(time.time()):
        refuse(args, ["--full"], "in a round that runs, where only the examples are judged")
        return _check_in_round(running, args.folder)
    return _judged(kata, answer, args.folder, full=args.full)


def _check_in_round(running: rounds.Round, folder: Path) -> int:
    """Only the visible stages, and of them only what has been asked by now."""
    from lockfree.practice.judge import results

    now = time.time()
    _news(running, folder)  # before the verdict: the examples ask for it already
    judgement = Judgement(running.kata.name)
    for result in results(running.kata, workspace.real(folder / running.kata.file), later=running.later(now)):
        if result.stage not in rounds.VISIBLE:
            break
        judgement.results.append(result)
        print(hanging(line(judgement.results[-1]), width()), flush=True)
    workspace.keep(folder, running.kata, judgement, counts=False)
    print("the examples pass" if judgement.failure is None else "an example fails")
    print(f"{running.left(now)}; the other stages run at the end: lockfree practice round --end --in {folder}")
    _news(running, folder)
    return judgement.verdict.value


def _news(running: rounds.Round, folder: Path) -> None:
    for part in rounds.tell(running, folder, time.time()):
        print(f"\n{flowed(f'new: {part.text.strip()}', width())}")


def _round(args: argparse.Namespace) -> int:
    if args.folder is None:
        if args.end:
            raise UsageError("--end needs --in FOLDER: which round is over?")
        kata = find(args.kata) if args.kata else _unsolved()
        folder = Path(f"{kata.name}-round")
        one = rounds.begin(kata, folder, MINUTES if args.minutes is None else args.minutes)
        print(f"{flowed((folder / 'statement.md').read_text(encoding='utf-8').strip(), width())}\n")
        print(f"{one.left(time.time())}. Your file: {folder / kata.file}")
        print(f"The examples: lockfree practice check --in {folder}")
        print(f"More will be asked: lockfree practice round --in {folder}")
        return 0
    if args.kata is not None or args.minutes is not None:
        raise UsageError("--in names a round that runs: it has its kata and its minutes already")
    found = rounds.of(args.folder)
    if found is None:
        raise UsageError(f"{args.folder} was not made by `lockfree practice round`")
    _news(found, args.folder)
    if not args.end:
        print(f"{found.left(time.time())}; {len(found.arrived(time.time()))} parts so far")
        return 0
    rounds.end(found, args.folder)
    return _judged(found.kata, args.folder / found.kata.file, args.folder, full=False)


def _unsolved() -> Kata:
    progress = workspace.read_progress()
    usable = [kata for kata in katas() if kata.language == "python" or has_compiler()]
    return next((kata for kata in usable if not progress.get(kata.name, {}).get("accepted")), usable[0])


def _report(args: argparse.Namespace) -> int:
    need_page("report")
    kata, answer = _folder(args)
    running = rounds.of(args.folder)
    if running is not None and running.runs(time.time()):
        raise UsageError(f"the round is not over: {running.left(time.time())}; round --end ends it")
    out = args.out or args.folder / "report.html"
    try_file("--out", out)
    from lockfree.practice.report import page

    judgement = _lines(kata, answer, full=True)
    workspace.keep(args.folder, kata, judgement)
    write_whole(out, page(kata, args.folder, judgement))
    print(f"{judgement.verdict.name}: {out}")
    return judgement.verdict.value


def _lines(kata: Kata, answer: Path, *, full: bool) -> Judgement:
    """All stages, one line each as it comes; while it runs, a terminal shows how far it is."""
    from lockfree.practice.judge import results  # the judge loads the instruments

    judgement = Judgement(kata.name)
    terminal = sys.stderr.isatty()
    wide = shutil.get_terminal_size((100, 24)).columns

    def tell(text: str) -> None:
        if terminal:
            print(f"{CLEAR}  {cut(text, wide - 3)}", end="", file=sys.stderr, flush=True)

    for result in results(kata, workspace.real(answer), full=full, tell=tell):
        if terminal:
            print(CLEAR, end="", file=sys.stderr, flush=True)
        print(hanging(line(result), width()), flush=True)
        for noted in result.looked_at if result.outcome is Outcome.NOTED else ():
            print(hanging(f"             {noted}", width(), 15))
        judgement.results.append(result)
    return judgement


def _judged(kata: Kata, answer: Path, folder: Path, *, full: bool) -> int:
    """All stages, one line each, and what they mean."""
    judgement = _lines(kata, answer, full=full)
    workspace.keep(folder, kata, judgement)
    failure = judgement.failure
    print(f"\n{judgement.verdict.name}")
    if failure is not None:
        _explain(kata, failure)
        if failure.detail and failure.stage != "screen":
            print(f"\nthe execution in columns: lockfree practice why{_in(folder)}")
    elif judgement.verdict is Verdict.ACCEPT:
        _list_bounds("within these bounds:", judgement)
        print(f"next: lockfree practice debrief{_in(folder)}")
    else:
        _list_bounds("left unchecked:", judgement)
    return judgement.verdict.value


def _list_bounds(title: str, judgement: Judgement) -> None:
    print(title)
    for bound in judgement.bounds():
        print(hanging(f"  {bound}", width(), 13))


def _in(folder: Path) -> str:
    """The option that names the folder; nothing for the one that the reader is in."""
    return "" if folder == Path() else f" --in {shlex.quote(str(folder))}"


def _explain(kata: Kata, failure: Result) -> None:
    found = kata.diagnosis(failure.diagnosis)
    if found is None or (failure.stage == "screen" and failure.detail):
        print(failure.detail or f"{failure.stage}: {STAGES[failure.stage]}")
    if found is None:
        return
    print(f"{found.id}  {found.title}")
    for text in filter(None, (found.why, found.hidden)):
        print(flowed(text, width()))


def _why(args: argparse.Namespace) -> int:
    if args.diagnosis and (Path(args.diagnosis) / workspace.MARK).is_file():
        args.place, args.diagnosis = Path(args.diagnosis), None
    kata, answer = _folder(args)
    if args.diagnosis:
        if kata.diagnosis(args.diagnosis) is None:
            raise UsageError(f"no diagnosis {args.diagnosis} of {kata.name}; there are: {', '.join(kata.diagnoses)}")
        _explain(kata, Result("", Outcome.FAILED, "", args.diagnosis))
        return 0
    failure = next((result for result in workspace.last(args.folder) if result.outcome is Outcome.FAILED), None)
    if failure is None:
        print("the last check found no failure")
        return 0
    from lockfree.practice.judge import again

    message, rest, trace = again(kata, answer, failure, width()).partition("\n")
    print(f"{hanging(message, width(), 0)}{rest}{trace}")
    print()
    _explain(kata, failure)
    return 0


def _hint(args: argparse.Namespace) -> int:
    kata, _ = _folder(args)
    read = workspace.read_progress().get(kata.name, {}).get("hints", 0)
    number = min(read, len(kata.hints) - 1)
    print(f"hint {number + 1} of {len(kata.hints)}\n\n{flowed(kata.hints[number], width())}")
    workspace.note(kata.name, hints=min(read + 1, len(kata.hints)))
    return 0


def _debrief(args: argparse.Namespace) -> int:
    kata, _ = _folder(args)
    if not args.now and not workspace.read_progress().get(kata.name, {}).get("accepted"):
        raise UsageError(f"{kata.name} is not accepted yet; --now shows the debrief all the same")
    print(flowed(kata.text("debrief").strip(), width()))
    print(f"\n{flowed(kata.text('questions').strip(), width())}")
    return 0


def _break(args: argparse.Namespace) -> int:
    from lockfree.practice.breaking import breakable, game_of, play

    kata = find(args.kata)
    if args.list:
        if args.answer:
            raise UsageError(f"{args.answer} and --list: --list names all answers, and plays none")
        for sample in breakable(kata):
            print(f"{sample.path.stem:<32} {kata.diagnoses[sample.diagnosis].title}")
        return 0
    if kata.language == "c":
        need_compiler()
    with game_of(kata, args.answer) as (sample, game):
        print(f"{sample.path.name} of {kata.name}:\n\n{_numbered(sample.path)}\n")
        if not play(game, input, print):
            print("\nIt did not fail. h gives a hint.")
            return 1
        _explain(kata, Result("", Outcome.FAILED, "", sample.diagnosis))
    return 0


def _numbered(path: Path) -> str:
    """The lines of a wrong answer, without the first one, which names the diagnosis."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(f"{number:>4}  {line}" for number, line in enumerate(lines, 1) if number > 1)


def _selftest(args: argparse.Namespace) -> int:
    from lockfree.practice.selftest import machine

    times = 1 if args.times is None else args.times
    if times < 1:
        raise UsageError(f"--times is {times}: it must be at least 1")
    if args.part and "answers" not in args.part:
        refuse(args, ["--times"], "without the part answers")
        if set(args.part) == {"attacks"} and (args.katas or args.kata):
            named = ", ".join((*args.katas, *args.kata))
            raise UsageError(f"{named}: attacks are those of all katas, so none can be named")
    args.times = times
    chosen = [find(name) for name in (*args.katas, *args.kata)] or katas()
    chosen = [kata for kata in chosen if args.language in {None, kata.language}]
    some = bool(args.katas or args.kata or args.language or args.answer)
    rows: dict[str, Row] = {}
    problems = 0
    with machine(args.machine):
        for part in args.part or (["answers"] if some else list(PARTS)):
            problems += PARTS[part](args, chosen, rows)
    if not rows:
        raise UsageError("nothing to judge: no kata, or no answer of them, fits")
    print(f"\n{'':<26} {'as expected':<17} {'share':>7}  {'took':>9}")
    for row in rows.values():
        print(row)
    print(f"\n{problems} of {sum(row.judged for row in rows.values())} answers of the judge were wrong")
    return 1 if problems else 0


def _judge_answers(args: argparse.Namespace, chosen: list[Kata], rows: dict[str, "Row"]) -> int:
    from lockfree.practice.selftest import Row, trials

    problems = 0
    for kata in chosen:
        for trial in trials(kata, args.answer, args.times):
            mark = "wrong" if trial.problem else "ok"
            problems += bool(trial.problem)
            print(f"{mark:<6} {trial.kata:<20} {trial.answer:<40} {trial.found:<28} {trial.seconds:5.1f} s", flush=True)
            if trial.problem:
                print(f"       expected {trial.expected}: {trial.problem}", flush=True)
            row = rows.setdefault(trial.kind, Row(trial.kind))
            row.add(good=not trial.problem, seconds=trial.seconds)
    return problems


def _judge_attacks(args: argparse.Namespace, _chosen: list[Kata], rows: dict[str, "Row"]) -> int:
    from lockfree.practice.hostile import repelled
    from lockfree.practice.selftest import Row

    problems = 0
    for one in repelled(args.answer):
        if args.language not in {None, one.attack.language}:
            continue
        mark = "wrong" if one.problem else "ok"
        problems += bool(one.problem)
        print(f"{mark:<6} {one.attack.language:<7} {one.attack.what:<40} {one.said:<26} {one.message[:80]}", flush=True)
        if one.problem:
            print(f"       {one.problem}", flush=True)
        rows.setdefault("attacks", Row("attacks")).add(good=not one.problem, seconds=one.seconds)
    return problems


def _judge_mutants(args: argparse.Namespace, chosen: list[Kata], rows: dict[str, "Row"]) -> int:
    from lockfree.practice.mutants import tried
    from lockfree.practice.selftest import Row

    problems = 0
    for kata in chosen:
        for one in tried(kata, lambda mutant: args.answer in mutant.answer):
            rejected = one.verdict is Verdict.REJECT
            problems += not rejected and not one.why
            kind = f"mutants in {LANGUAGES[kata.language]}"
            row = rows.setdefault(kind, Row(kind))
            row.add(good=rejected, seconds=one.seconds, explained=bool(one.why) and not rejected)
            mark = "ok" if rejected else "equal" if one.why else "LEFT"
            said = one.said or one.why or one.verdict.name
            print(f"{mark:<6} {kata.name:<20} {one.mutant.answer:<24} {one.mutant.what:<44} {said[:70]}", flush=True)
    return problems


PARTS = {"answers": _judge_answers, "attacks": _judge_attacks, "mutants": _judge_mutants}
