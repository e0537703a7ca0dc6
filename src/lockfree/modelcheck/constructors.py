"""Constructors that begin threads: they run in the program's first thread, before its main.

Other constructors run once, before the checker begins, and every execution finds what they left behind. A thread can
begin only in an execution. So such a program is built again, with its constructors in a section of their own
(c/model/objects/process.c).
"""

import re

SECTION = "lf_constructors"
ORDINARY = 65535
"""The priority of a constructor that names none: the last."""
BEGIN = re.compile(r"(\s*\.section\s+)\.init_array(?:\.(\d+))?(,\S+)(.*)")
END = re.compile(r"\s*\.(section|text|data|bss|previous|popsection)\b")
ENTRY = re.compile(r"\s*\.(quad|xword|8byte)\s")


def in_main(text: str) -> str:
    """The compiler's output with its constructors in `SECTION`, each after its priority."""
    lines = []
    priority: int | None = None
    for line in text.split("\n"):
        if begin := BEGIN.match(line):
            priority = int(begin[2] or ORDINARY)
            lines.append(f"{begin[1]}{SECTION}{begin[3].replace('@init_array', '@progbits')}{begin[4]}")
            continue
        if END.match(line):
            priority = None
        elif priority is not None and (entry := ENTRY.match(line)):
            lines.append(f"{entry[0]}{priority}")
        lines.append(line)
    return "\n".join(lines)
