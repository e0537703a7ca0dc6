"""What there is to practise: one folder a kata, read from its `kata.toml`."""

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lockfree._command import UsageError

FOLDER = Path(__file__).parent / "katas"
LEVELS = (
    "break it",
    "locks and conditions",
    "atomics",
    "lock-free, and reclamation",
    "processes, and death",
    "serving",
)
LANGUAGES = {"c": "C", "python": "Python"}


class KataError(UsageError):
    """There is no such kata, or a folder is not as it should be."""


@dataclass(frozen=True)
class Diagnosis:
    """A way to fail. why: one sentence. hidden: why an x86 machine or the GIL hides it, if it does."""

    id: str
    title: str
    why: str
    hidden: str = ""


COMMON = {
    about.id: about
    for about in (
        Diagnosis(
            "START",
            "not written yet",
            "The file is still the starter, or a function of it still does what the starter's does (in Python it "
            "raises NotImplementedError). Write it, then check again.",
        ),
        Diagnosis(
            "ENDS",
            "the answer ends the program, or makes no progress",
            "The process of the answer ended before the judge had its result, or ran into a limit. An answer returns "
            "to its caller; it never ends the process, and takes no more time, memory and files than the limits allow.",
        ),
        Diagnosis(
            "REACH",
            "a part of the answer is hidden from the judge",
            "No execution of the judge reached this access, or none left out this fence or access, or this comparison "
            "came out in one way: the answer does something else after many calls, or with sizes that no client uses. "
            "Do the same in all calls, or take out what is never used.",
        ),
        Diagnosis(
            "RAISES",
            "the answer raises an exception that it does not mean",
            "A name, an attribute or an argument is not there, or is of another type. No second thread is needed for "
            "that: the line is in the message.",
        ),
        Diagnosis(
            "FORBIDDEN",
            "the answer uses what this kata does not allow",
            "An answer may use what the kata is about, and nothing that reaches the judge, files, the network or other "
            "processes. Such an answer is not run.",
        ),
    )
}
"""Ways to fail that every kata has."""
SLIPS = ("NameError", "UnboundLocalError", "AttributeError", "TypeError", "ImportError", "ModuleNotFoundError")
"""Exceptions of one thread alone that are a slip of the pen, and no fault in how threads work together."""


@dataclass(frozen=True)
class Rule:
    """Maps a failure to a diagnosis: the first rule whose parts all fit. client: how its name begins. An empty part
    fits everything.
    """

    diagnosis: str
    stage: str = ""
    client: str = ""
    kind: str = ""
    says: str = ""

    def fits(self, stage: str, client: str, kind: str, message: str) -> bool:
        return (
            self.stage in {"", stage}
            and client.startswith(self.client)
            and self.kind in {"", kind}
            and self.says.lower() in message.lower()
        )


@dataclass(frozen=True)
class Sample:
    """A solution that the judge is judged by. Of a wrong one: the diagnosis and the stage that must see it."""

    path: Path
    right: bool
    diagnosis: str = ""
    stage: str = ""


@dataclass(frozen=True)
class Kata:
    """One exercise. file: what the learner writes. interface: functions (C) or classes (Python) that it must define.

    reference: the file in `right` whose speed others are compared with; empty: the first. locks: whether an answer in C
    may use those of <pthread.h> and <threads.h>. sampled: clients in C that do not end with some right answers. Many
    executions of them are enough. both_ways: the clients go both ways at each condition of a right answer in C that
    leaves out a fence or an atomic access.
    """

    name: str
    title: str
    level: int
    language: str
    file: str
    minutes: int
    asked: str
    interface: tuple[str, ...]
    folder: Path
    allowed: tuple[str, ...] = ()
    locks: bool = True
    reference: str = ""
    seconds: float = 10.0
    settings: dict[str, Any] = field(default_factory=dict)
    sampled: tuple[str, ...] = ()
    both_ways: bool = False
    diagnoses: dict[str, Diagnosis] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @property
    def starter(self) -> Path:
        return self.folder / "starter" / self.file

    def diagnosis(self, name: str) -> Diagnosis | None:
        """The diagnosis of this name, one of its own or a common one."""
        return self.diagnoses.get(name) or COMMON.get(name)

    def text(self, name: str) -> str:
        """`statement`, `debrief` or `questions`."""
        return (self.folder / f"{name}.md").read_text(encoding="utf-8")

    @cached_property
    def hints(self) -> list[str]:
        parts = (self.folder / "hints.md").read_text(encoding="utf-8").split("\n---\n")
        return [part.strip() for part in parts]

    def diagnose(self, stage: str, client: str, kind: str, message: str) -> str:
        """The diagnosis of a failure: the one that the message begins with (`[Q3] …`), or the first rule's."""
        if message.partition("[")[2].partition("]")[0] in self.diagnoses:
            return message.partition("[")[2].partition("]")[0]
        for rule in self.rules:
            if rule.fits(stage, client, kind, message) and (rule.kind or kind != "endless loop"):
                of_the_answer = message.startswith(SLIPS) and "(check.py:" not in message
                if stage == "edges" and not rule.says and of_the_answer:
                    return "RAISES"
                return rule.diagnosis
        return "ENDS" if kind == "endless loop" else ""

    @cached_property
    def samples(self) -> list[Sample]:
        """All solutions in `right` and `wrong`. The first line of a wrong one says: `fails: STAGE DIAGNOSIS`."""
        found = [Sample(path, right=True) for path in sorted((self.folder / "right").iterdir()) if path.is_file()]
        for path in sorted((self.folder / "wrong").iterdir()):
            if not path.is_file():
                continue
            first = path.read_text(encoding="utf-8").split("\n", 1)[0]
            words = first.partition("fails:")[2].replace("*/", " ").split()
            if len(words) < 2:
                raise KataError(f"{path}: the first line says no 'fails: STAGE DIAGNOSIS'")
            found.append(Sample(path, right=False, stage=words[0], diagnosis=words[1]))
        return found


def _read(folder: Path) -> Kata:
    try:
        told = tomllib.loads((folder / "kata.toml").read_text(encoding="utf-8"))
        diagnoses = {name: Diagnosis(name, **about) for name, about in told.pop("diagnoses", {}).items()}
        rules = tuple(Rule(**rule) for rule in told.pop("rules", []))
        told["interface"], told["allowed"] = tuple(told["interface"]), tuple(told.get("allowed", ()))
        told["sampled"] = tuple(told.get("sampled", ()))
        kata = Kata(name=folder.name, folder=folder, diagnoses=diagnoses, rules=rules, **told)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise KataError(f"{folder / 'kata.toml'}: {error}") from error
    unknown = [rule.diagnosis for rule in rules if rule.diagnosis not in diagnoses]
    if unknown or kata.language not in LANGUAGES or not 0 <= kata.level < len(LEVELS):
        raise KataError(f"{folder / 'kata.toml'}: unknown diagnosis, language or level: {unknown or told}")
    return kata


def katas(folder: Path = FOLDER) -> list[Kata]:
    """All katas, by level and name."""
    there = [_read(path) for path in folder.iterdir() if (path / "kata.toml").is_file()]
    return sorted(there, key=lambda kata: (kata.level, kata.name))


def find(name: str) -> Kata:
    """The kata of this name. KataError if there is none."""
    there = {kata.name: kata for kata in katas()}
    if name not in there:
        raise KataError(f"no kata is called {name!r}; there are: {', '.join(there)}")
    return there[name]
