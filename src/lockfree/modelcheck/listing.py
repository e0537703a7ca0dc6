"""What is done to the compiler's output for one file before it is assembled.

A module of its own, which is loaded only when something is compiled.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lockfree.modelcheck.assembly import Translator, needs_translation, translated
from lockfree.modelcheck.by_name import are_named, as_named
from lockfree.modelcheck.by_value import announced
from lockfree.modelcheck.constructors import in_main
from lockfree.modelcheck.numbers import ASKS, constants, listed
from lockfree.modelcheck.sections import with_library_apart
from lockfree.modelcheck.slots import cleared
from lockfree.modelcheck.unused import without_unused_reads


@dataclass(frozen=True)
class Listing:
    """How a file was compiled. whole: with the flags that are needed to know what a slot of the stack is."""

    file: str
    cxx: bool
    gcc: bool
    x86: bool
    whole: bool
    late: bool
    relaxed: bool
    watched: bool


def prepared(
    text: str, of: Listing, not_inlined: Callable[[], str], preprocessed: Callable[[], str], headers: str
) -> str:
    """The output with everything that the runtime must be told of. Raises `ValueError` for what cannot be followed.

    not_inlined: the output of the same without inlining. preprocessed: the text of the file. headers: our own.
    """
    if are_named(text):  # the compiler must not put them into others
        text = as_named(not_inlined())
    if of.late:
        text = in_main(text)
    if of.cxx:
        text = with_library_apart(text)
    if of.x86 and of.whole:
        text = cleared(text if of.gcc else without_unused_reads(text), registers=of.gcc)
    if needs_translation(text):
        if not of.x86:
            what = "volatile objects as atomic ones" if of.relaxed else "inline assembly"
            raise ValueError(f"{of.file} has {what}, which is followed on x86-64 only")
        text = translated(text)
    if of.x86:
        text = announced(text, Translator().call, stores_too=of.gcc)
        if of.watched:
            from lockfree.modelcheck.edges import marked

            text = marked(text)
    return text + listed(constants(preprocessed(), headers)) if ASKS in text else text
