"""Functions that mean something by their name, as SV-COMP has them.

`__VERIFIER_atomic_...` is one step. The `abort` of `assume_abort_if_not` is no violation: the execution is not one of
the program's.
"""

import re

PREFIX = "__VERIFIER_atomic_"
ASSUMES = "assume_abort_if_not"
NAMED = re.compile(rf"\b{PREFIX}(?!(?:begin|end)\b)\w+|\b{ASSUMES}\b")
FUNCTION = re.compile(
    rf"^{PREFIX}(?!(?:begin|end):)[\w.]+:(?:[ \t]*(?:#|//)[^\n]*)?$.*?^\s*\.size\s", re.MULTILINE | re.DOTALL
)
ENTRY = re.compile(r"^(\s*(?:callq?|bl)\s+)__tsan_func_entry\b.*$", re.MULTILINE)
ASSUMING = re.compile(rf"^{ASSUMES}:(?:[ \t]*(?:#|//)[^\n]*)?$.*?^\s*\.size\s", re.MULTILINE | re.DOTALL)
ABORT = re.compile(r"^(\s*(?:callq?|bl)\s+)abort\b", re.MULTILINE)
EXIT = re.compile(r"^(\s*(?:callq?|bl)\s+)__tsan_func_exit\b.*$", re.MULTILINE)


def are_named(text: str) -> bool:
    """Does a source, or what the compiler made of it, have such functions?"""
    return NAMED.search(text) is not None


def as_named(text: str) -> str:
    """The compiler's output with functions that do what they are named for.

    A section of `__VERIFIER_atomic_begin` is around what each `__VERIFIER_atomic_...` does.
    """
    text = ASSUMING.sub(lambda found: ABORT.sub(r"\1__VERIFIER_dismiss", found[0]), text)
    return FUNCTION.sub(
        lambda found: EXIT.sub(rf"\1{PREFIX}end\n\g<0>", ENTRY.sub(rf"\g<0>\n\1{PREFIX}begin", found[0])), text
    )
