"""Rows in columns that fit into a terminal: a column a thread, each row's place behind it."""

import textwrap
from collections.abc import Iterator, Sequence

LEAST = 40
"""Columns of text below which nothing is made to fit."""


def fitted(names: Sequence[str], rows: Sequence[tuple[int, str, str]], width: int) -> list[str]:
    """Columns that overlap, with text that goes on in the next line. rows: the column, the text and the place."""
    width = max(width, LEAST)
    step = min(8, max(2, (width - LEAST) // max(1, len(names))))
    head = ""
    for number, name in enumerate(names):
        head = f"{head:<{2 + step * number}}{'' if len(head) <= 2 + step * number else ' '}{name}"
    lines = textwrap.wrap(head, width, subsequent_indent="  ") if len(head) > width else [head]
    for column, text, where in rows:
        lines += _row(" " * (2 + step * column), text, where, width)
    return lines


def _row(indent: str, text: str, where: str, width: int) -> Iterator[str]:
    wrapped = textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    ) or [indent]  # fmt: skip
    yield from wrapped[:-1]
    if len(wrapped[-1]) + 3 + len(where) <= width:
        yield f"{wrapped[-1]:<{width - len(where)}}{where}".rstrip()
    else:
        yield wrapped[-1]
        yield where.rjust(width)
