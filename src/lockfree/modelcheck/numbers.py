"""The constants of a program: `__VERIFIER_nondet_int` and its like try them, since a comparison changes there."""

import re
from collections.abc import Iterator

ASKS = "__VERIFIER_nondet_"
SECTION = "lf_model_numbers"
_MARKER = re.compile(r'# \d+ "(?P<file>[^"]*)"(?P<flags>[ \d]*)')
_LITERAL = re.compile(r"(?P<minus>-\s*)?(?<![\w.])(?P<digits>0[xX][0-9a-fA-F]+|\d+)[uUlL]*(?![\w.])")
_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_LARGEST = 2**63 - 1


def constants(preprocessed: str, headers: str = "") -> list[int]:
    """The whole numbers in what a preprocessor printed, without those of system headers and of the folder `headers`."""
    return list(dict.fromkeys(_all_constants(preprocessed, headers)))


def _all_constants(preprocessed: str, headers: str) -> Iterator[int]:
    of_others = False
    for line in preprocessed.splitlines():
        if marker := _MARKER.match(line):
            own_header = bool(headers) and marker["file"].startswith(headers)
            of_others = own_header or "3" in marker["flags"].split()
            continue
        if of_others:
            continue
        for literal in _LITERAL.finditer(_TEXT.sub("", line)):
            number = _value(literal["digits"])
            if number > _LARGEST:
                continue
            if literal["minus"]:
                yield -number
            yield number


def _value(digits: str) -> int:
    if digits[:2] in ("0x", "0X"):
        return int(digits, 16)
    return int(digits, 8) if re.fullmatch("0[0-7]+", digits) else int(digits)


def listed(numbers: list[int]) -> str:
    """Assembly that puts them where the runtime finds them."""
    rows = "".join(f"\t.quad\t{number}\n" for number in numbers)
    return f'\t.section\t{SECTION},"a",@progbits\n\t.p2align\t3\n{rows}\t.text\n' if numbers else ""
