"""The learner's side: a folder for each kata, and one local file with what was reached."""

import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lockfree._command import write_whole
from lockfree.practice.catalog import Kata, KataError, find
from lockfree.practice.results import Judgement, Outcome, Result, Verdict

MARK = ".lockfree-practice.json"
"""In a learner's folder: which kata it is, and what the judge found last."""


def real(path: Path) -> Path:
    """The path without links. A link to itself stays as it is: to read it is an OSError, and no fault of the judge."""
    return Path(os.path.realpath(path))


def progress_file() -> Path:
    """Where the progress is kept. `LOCKFREE_PRACTICE` names another file."""
    if named := os.environ.get("LOCKFREE_PRACTICE"):
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "lockfree" / "practice.json"


def read_progress() -> dict[str, Any]:
    """By kata: `started`, `checks`, `accepted` (times), `hints` (how many were read). Empty if there is none."""
    try:
        found = json.loads(progress_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def note(kata: str, **changes: Any) -> None:
    """Changes what is kept of a kata. The file is replaced as a whole, so that a stop leaves the old or the new one."""
    progress = read_progress()
    progress.setdefault(kata, {}).update(changes)
    _replace(progress_file(), progress)


def _replace(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(content, indent=1))


def stars(about: dict[str, Any]) -> int:
    """0 to 3: accepted; with at most one hint; with none."""
    if not about.get("accepted"):
        return 0
    hints = about.get("hints", 0)
    return 3 if hints == 0 else 2 if hints == 1 else 1


def start(kata: Kata, folder: Path) -> list[Path]:
    """Makes a learner's folder; the files in it. FileExistsError if the answer is there already."""
    if (folder / kata.file).exists():
        raise FileExistsError(
            17, "this answer is there already; remove it, or name another folder", str(folder / kata.file)
        )
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / "statement.md", folder / kata.file]
    shutil.copyfile(kata.folder / "statement.md", made[0])
    shutil.copyfile(kata.starter, made[1])
    include = kata.folder / "include"
    for header in sorted(include.iterdir()) if include.is_dir() else ():
        made.append(folder / header.name)
        shutil.copyfile(header, made[-1])
    _replace(folder / MARK, {"kata": kata.name})
    if kata.name not in read_progress():
        note(kata.name, started=time.time(), checks=0, accepted=None, hints=0)
    return made


def marked(folder: Path) -> dict[str, Any]:
    """What is kept in a learner's folder. Empty if it is none."""
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def mark(folder: Path, **changes: Any) -> None:
    """Changes what is kept in a learner's folder."""
    _replace(folder / MARK, {**marked(folder), **changes})


def happened(folder: Path, kind: str, text: str, verdict: str = "") -> None:
    """Adds a line to the history of a learner's folder, for the report."""
    history = marked(folder).get("history", [])
    mark(folder, history=[*history, {"when": time.time(), "kind": kind, "text": text, "verdict": verdict}])


def kata_of(folder: Path) -> Kata:
    """The kata that a folder was made for. KataError if it was made for none."""
    try:
        return find(json.loads((folder / MARK).read_text(encoding="utf-8"))["kata"])
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise KataError(f"{folder} was not made by `lockfree practice start`") from error


def keep(folder: Path, kata: Kata, judgement: Judgement, *, counts: bool = True) -> None:
    """Keeps what the judge found, for `why`, and the progress. counts: whether an ACCEPT is one of all stages."""
    lines = [{**asdict(result), "outcome": result.outcome.name} for result in judgement.results]
    mark(folder, kata=kata.name, verdict=judgement.verdict.name, results=lines)
    failure = judgement.failure
    text = judgement.verdict.name
    if failure is not None:
        text = f"{' '.join(filter(None, (failure.stage, failure.diagnosis)))}: {failure.message}"
    happened(folder, "check", text[:200], judgement.verdict.name)
    about = read_progress().get(kata.name, {})
    changes: dict[str, Any] = {"checks": about.get("checks", 0) + 1}
    if counts and judgement.verdict is Verdict.ACCEPT and not about.get("accepted"):
        changes["accepted"] = time.time()
    note(kata.name, **changes)


def last(folder: Path) -> list[Result]:
    """What the judge found last. KataError if it was not asked yet."""
    told = json.loads((folder / MARK).read_text(encoding="utf-8"))
    if "results" not in told:
        raise KataError(f"nothing was checked yet in {folder}: lockfree practice check")
    return [
        Result(**{**line, "outcome": Outcome[line["outcome"]], "looked_at": tuple(line.get("looked_at", ()))})
        for line in told["results"]
    ]
