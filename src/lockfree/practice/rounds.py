"""A timed round: a blank file, requirements that arrive in parts, and only the stages that examples in a round show.

A kata's `parts.toml` lists the parts: `after_minutes` says when one arrives in a round of the kata's own length (in
others in proportion), `clients` are the examples that belong to it (beginnings of names). If the first part does not
come at 0, the whole statement does.
"""

import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lockfree.practice import workspace
from lockfree.practice.catalog import Kata, KataError

VISIBLE = ("screen", "edges")
"""The stages that are shown while a round runs; the others come at its end."""
MINUTES = (1, 600)


@dataclass(frozen=True)
class Part:
    """Requirements that arrive after a share of the time, from 0 to 1."""

    after: float
    text: str
    clients: tuple[str, ...] = ()


def parts(kata: Kata) -> list[Part]:
    """The parts in their order; the first is there from the beginning. KataError if the file is not as it should be."""
    path = kata.folder / "parts.toml"
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))["parts"]
        found = [
            Part(one["after_minutes"] / kata.minutes, one["text"].strip(), tuple(one.get("clients", ())))
            for one in told
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise KataError(f"{path}: {error}") from error
    if not found or found[0].after > 0:
        found.insert(0, Part(0.0, kata.text("statement").partition("\n")[2].strip()))  # `tell` writes the title
    if [part.after for part in found] != sorted(part.after for part in found) or found[-1].after >= 1:
        raise KataError(
            f"{path}: the parts must come in their order, and within the {kata.minutes} minutes of the kata"
        )
    return found


@dataclass(frozen=True)
class Round:
    """A round that was begun. Times in seconds since the epoch; minutes: its length; ended: 0 while it runs."""

    kata: Kata
    began: float
    minutes: float
    ended: float = 0.0

    def elapsed(self, now: float) -> float:
        """The share of the time that is over."""
        return (now - self.began) / (60 * self.minutes)

    def runs(self, now: float) -> bool:
        """Whether there is time left."""
        return not self.ended and self.elapsed(now) < 1

    def arrived(self, now: float) -> list[Part]:
        """The parts that are known by now."""
        return [part for part in parts(self.kata) if part.after <= self.elapsed(now)]

    def left(self, now: float) -> str:
        """The time that is left, or how long it is over."""
        seconds = 60 * self.minutes - (now - self.began)
        return f"{seconds / 60:.0f} of {self.minutes:g} minutes left" if seconds > 0 else "the time is over"

    def later(self, now: float) -> tuple[str, ...]:
        """Beginnings of the examples that belong to parts which have not arrived."""
        there = self.arrived(now)
        return tuple(client for part in parts(self.kata) if part not in there for client in part.clients)


def begin(kata: Kata, folder: Path, minutes: float) -> Round:
    """Makes a folder with a blank file and the first part. FileExistsError if an answer is there already."""
    if not MINUTES[0] <= minutes <= MINUTES[1]:
        raise KataError(f"--minutes is {minutes:g}: it must be {MINUTES[0]} to {MINUTES[1]}")
    workspace.start(kata, folder)
    header = "".join(f'#include "{path.name}"\n' for path in sorted((kata.folder / "include").glob("*.h")))
    (folder / kata.file).write_text(header, encoding="utf-8")
    made = Round(kata, time.time(), minutes)
    workspace.mark(folder, round={"began": made.began, "minutes": minutes, "told": 0})
    tell(made, folder, made.began)
    return made


def of(folder: Path) -> Round | None:
    """The round of a folder, if it was made for one."""
    told: dict[str, Any] = workspace.marked(folder).get("round", {})
    if not told:
        return None
    return Round(workspace.kata_of(folder), told["began"], told["minutes"], told.get("ended", 0.0))


def tell(one: Round, folder: Path, now: float) -> list[Part]:
    """Writes the parts that have arrived into the statement; those that are new since the last time."""
    there = one.arrived(now)
    told = workspace.marked(folder)["round"].get("told", 0)
    text = "\n\n".join(part.text for part in there)
    (folder / "statement.md").write_text(f"# {one.kata.title}\n\n{text}\n", encoding="utf-8")
    workspace.mark(folder, round={**workspace.marked(folder)["round"], "told": len(there)})
    for part in there[told:]:
        workspace.happened(folder, "part", " ".join(part.text.split()))
    return there[told:]


def end(one: Round, folder: Path) -> None:
    """Ends a round; from now on all stages are shown."""
    workspace.mark(folder, round={**workspace.marked(folder)["round"], "ended": time.time()})
    workspace.happened(folder, "end", one.left(time.time()))
