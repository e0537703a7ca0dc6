"""A failing execution as text: one column a thread or task, one line of the program a row."""

import linecache
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from lockfree.modelcheck.columns import fitted
from lockfree.modelcheck.python.scheduler import Row

MOST = 70
"""Rows above which those without a visible operation are left out."""
WIDE = 130
"""Columns of text above which the threads' columns overlap."""


@dataclass
class _Group:
    """What one thread did at one line without a break."""

    column: str
    file: str
    line: int
    operations: list[str] = field(default_factory=list)
    first: bool = False

    def text(self) -> str:
        source = linecache.getline(self.file, self.line).strip() if self.line else ""
        said = "; ".join(self.operations)
        return f"{source}   [{said}]" if source and said else source or said


def _groups(rows: Sequence[Row]) -> list[_Group]:
    groups: list[_Group] = []
    for row in rows:
        last = groups[-1] if groups else None
        same = last is not None and (last.column, last.file, last.line) == (row.column, row.file, row.line)
        if last is None or not same or (not row.text and last.operations):
            first = last is None or last.column != row.column
            groups.append(_Group(row.column, row.file, row.line, first=first))
        if row.text:
            groups[-1].operations.append(row.text)
    return groups


def shown(rows: Sequence[Row]) -> list[_Group]:
    """All rows, or those with a visible operation if they are too many, and the end in any case."""
    groups = _groups(rows)
    if len(groups) > MOST:
        groups = [group for group in groups[:-5] if group.operations or group.first] + groups[-5:]
    return groups


def render(rows: Sequence[Row], message: str, width: int = 0) -> str:
    """The execution: one column a thread, the source position behind. width: of the terminal, if it is one."""
    groups = shown(rows)
    left = len(groups) - 3 * MOST
    if left > 0:
        groups = groups[:MOST] + groups[-2 * MOST :]
    columns = list(dict.fromkeys(group.column for group in groups))
    texts = [group.text() for group in groups]
    widths = {c: max(len(c), *(len(t) for t, g in zip(texts, groups, strict=True) if g.column == c)) for c in columns}
    stagger = sum(widths.values()) + 3 * len(widths) > WIDE
    starts, at = {}, 0
    for column in columns:
        starts[column] = at
        at += max(len(column) + 2, 8) if stagger else widths[column] + 3
    total = max((starts[c] + widths[c] for c in columns), default=0)
    wheres = [f"{group.file.rpartition('/')[2]}:{group.line}" if group.line else "" for group in groups]
    if 0 < width < 5 + total + max(map(len, wheres), default=0):
        told = [(columns.index(g.column), text, where) for g, text, where in zip(groups, texts, wheres, strict=True)]
        if left > 0:
            told.insert(MOST, (0, f"… {left} rows are left out …", ""))
        return "\n".join([*fitted(columns, told, width), *textwrap.wrap(f"  *** {message}", width)])
    head = ""
    for column in columns:
        head = f"{head:<{starts[column]}}{column}"
    lines = [f"  {head}"]
    for number, (text, group, where) in enumerate(zip(texts, groups, wheres, strict=True)):
        if left > 0 and number == MOST:
            lines.append(f"  … {left} rows are left out …")
        lines.append(f"  {' ' * starts[group.column] + text:<{total}}   {where}".rstrip())
    lines.append(f"  *** {message}")
    return "\n".join(lines)
