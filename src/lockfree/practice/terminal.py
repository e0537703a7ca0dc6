"""Text for a terminal: as wide as it is, with no word broken. Files and pipes get the text as it stands."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from functools import partial

ITEM = re.compile(r"(?:[-*]|\d+\.) ")
AS_IT_STANDS = re.compile(r"\||#| {4}|---")
"""How lines begin that are not joined with others: tables, titles, code, rules."""
FENCE = "```"
MARGIN = 21
"""Where the message of a stage begins: behind its outcome and its name."""
_fill = partial(textwrap.fill, break_long_words=False, break_on_hyphens=False)


def width() -> int:
    """Columns of the terminal; 0 if the standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def flowed(text: str, columns: int) -> str:
    """Markdown whose paragraphs and items are `columns` wide; 0: as it stands."""
    if not columns:
        return text
    return "\n".join(_fill(block, columns, subsequent_indent=indent) if joins else block
                     for block, indent, joins in _blocks(text))  # fmt: skip


def _blocks(text: str) -> Iterator[tuple[str, str, bool]]:
    """Paragraphs, items and lines: each with the indent of its further lines, and whether it may be filled again."""
    words: list[str] = []
    indent = ""
    fenced = False
    for line in text.split("\n"):
        item = ITEM.match(line)
        alone = fenced or not line.strip() or AS_IT_STANDS.match(line) or line.startswith(FENCE)
        if words and (item or alone):
            yield " ".join(words), indent, True
            words = []
        if alone:
            fenced ^= line.startswith(FENCE)
            yield line, "", False
            continue
        if not words:
            indent = " " * item.end() if item else ""
        words.append(line.strip())
    if words:
        yield " ".join(words), indent, True


def hanging(text: str, columns: int, margin: int = MARGIN) -> str:
    """One line; what does not fit stands below, behind a margin. 0 columns: as it stands."""
    return _fill(text, columns, subsequent_indent=" " * margin) if columns else text


def cut(text: str, columns: int) -> str:
    """At most so many columns; 0: as it stands."""
    return f"{text[: columns - 1]}…" if 0 < columns < len(text) else text
