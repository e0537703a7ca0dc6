"""The debrief of an answer as one HTML page: what happened when, what the judge says, and what is asked next."""

import re
import time
from pathlib import Path
from typing import Any

from lockfree._page import render
from lockfree.practice import workspace
from lockfree.practice.catalog import Kata
from lockfree.practice.results import Judgement, Result

ADVICE = {
    "speed": "Speed",
    "layout": "Cache lines, and what a call costs",
    "orders": "Order audit",
    "sanitizers": "Sanitizers",
    "questions": "Questions about your memory orders",
}
WIDTH = 700


def page(kata: Kata, folder: Path, judgement: Judgement) -> str:
    """The page. The answer, the hints and the history come from the learner's folder."""
    failure = judgement.failure
    answer = folder / kata.file
    return render(
        Path(__file__).parent / "report.html",
        inline=inline, kata=kata, judgement=judgement, failure=failure,
        diagnosis=kata.diagnosis(failure.diagnosis) if failure else None,
        when=time.strftime("%Y-%m-%d %H:%M"), timeline=_timeline(folder), width=WIDTH,
        advice=[(title, _result(judgement, stage)) for stage, title in ADVICE.items() if _result(judgement, stage)],
        needless=_needless(judgement), answer=answer.read_text(encoding="utf-8", errors="replace"),
        questions=_blocks(kata.text("questions")), debrief=_blocks(kata.text("debrief")),
        hints=workspace.read_progress().get(kata.name, {}).get("hints", 0),
    )  # fmt: skip


def _result(judgement: Judgement, stage: str) -> Result | None:
    return next((result for result in judgement.results if result.stage == stage), None)


def _needless(judgement: Judgement) -> list[str]:
    """Orders that are stronger than the clients need."""
    audited = _result(judgement, "orders")
    return [line for line in audited.looked_at if " may be enough " in line] if audited is not None else []


def _timeline(folder: Path) -> list[dict[str, Any]]:
    """What happened, with its place on a line of WIDTH points."""
    history = workspace.marked(folder).get("history", [])
    if not history:
        return []
    first, last = history[0]["when"], max(history[-1]["when"], history[0]["when"] + 1)
    return [
        {
            **one,
            "minute": f"{(one['when'] - first) / 60:.1f}",
            "x": round(WIDTH * (one["when"] - first) / (last - first)),
        }
        for one in history
    ]


def _blocks(text: str) -> list[tuple[str, str]]:
    """Markdown as the katas use it: (kind, text) of headings, code, and paragraphs with their bold beginnings."""
    found: list[tuple[str, str]] = []
    for number, part in enumerate(re.split(r"^```\w*\n", text, flags=re.MULTILINE)):
        if number % 2:
            found.append(("code", part.rstrip("\n")))
            continue
        for paragraph in re.split(r"\n\s*\n", part.strip()):
            if paragraph.startswith("#"):
                found.append(("heading", paragraph.lstrip("# ")))
            elif paragraph:
                found.append(("text", paragraph))
    return found


def inline(text: str) -> list[tuple[str, str]]:
    """The parts of a paragraph: (bold, code or plain, text)."""
    kinds = {"**": "bold", "`": "code", "*": "italic"}
    parts = re.split(r"(\*\*[^*]+\*\*|`[^`]+`|\*[^*\s][^*]*\*)", text)
    return [
        next(
            ((kind, part[len(mark) : -len(mark)]) for mark, kind in kinds.items() if part.startswith(mark)),
            ("plain", part),
        )
        for part in parts
        if part
    ]
