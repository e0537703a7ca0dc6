"""Functions that are one step by their name, as SV-COMP has them: `__VERIFIER_atomic_...`."""

import re

PREFIX = "__VERIFIER_atomic_"
NAMED = re.compile(rf"\b{PREFIX}(?!(?:begin|end)\b)\w+")
FUNCTION = re.compile(
    rf"^{PREFIX}(?!(?:begin|end):)[\w.]+:(?:[ \t]*(?:#|//)[^\n]*)?$.*?^\s*\.size\s", re.MULTILINE | re.DOTALL
)
ENTRY = re.compile(r"^(\s*(?:callq?|bl)\s+)__tsan_func_entry\b.*$", re.MULTILINE)
EXIT = re.compile(r"^(\s*(?:callq?|bl)\s+)__tsan_func_exit\b.*$", re.MULTILINE)


def are_named(text: str) -> bool:
    """Does a source, or what the compiler made of it, have such functions?"""
    return NAMED.search(text) is not None


def made_atomic(text: str) -> str:
    """The compiler's output with a section of `__VERIFIER_atomic_begin` around what each of them does."""
    return FUNCTION.sub(
        lambda found: EXIT.sub(rf"\1{PREFIX}end\n\g<0>", ENTRY.sub(rf"\g<0>\n\1{PREFIX}begin", found[0])), text
    )
