"""Reads that clang announces and does not make.

`(void)p;` is a read in clang's intermediate code. Without optimisation it is announced there, and the machine code has
no load for it. So it would look like a read of what nobody has written. gcc leaves both out.
"""

import re

ANNOUNCED = re.compile(
    r"^\tleaq\t(-\d+)\(%rbp\), %rdi\n(?:\t\.loc\t.*\n)*\tcallq\t__tsan_(?:unaligned_)?read(\d+)(?:@PLT)?\n",
    re.MULTILINE,
)
"""A read in the own frame."""
ENDS = re.compile(r"^\t(?:call|j|ret|ud2)|^(?!\.Ltmp)[^\t#]")
"""Behind a call, a jump or a label, a read would be announced anew."""
SLOT = re.compile(r"(-\d+)\(%rbp\b")


def _is_made(text: str, at: int, first: int, size: int) -> bool:
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        line, at = text[at:end], end
        if ENDS.match(line):
            return False
        if not line.startswith("\tlea") and any(first <= int(place) < first + size for place in SLOT.findall(line)):
            return True
    return False


def without_unused_reads(text: str) -> str:
    """The output of clang for x86-64, not optimised, in which only what is read is announced."""
    return ANNOUNCED.sub(
        lambda found: found[0] if _is_made(text, found.end(), int(found[1]), int(found[2])) else "", text
    )
