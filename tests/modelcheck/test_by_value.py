"""Structures that are copied, passed and returned by value: what no announcement of the compiler's names.

A client's name says what is found in it: `right_...` nothing, `data_race__...` a data race.
"""

import re
from pathlib import Path

import compilers
import pytest

from lockfree.modelcheck import Settings, build
from lockfree.modelcheck.by_value import announced
from lockfree.modelcheck.runner import clients_of, run

SOURCE = Path(__file__).with_name("by_value.c")
KINDS = ("pair", "small", "mixed", "five", "many")
CLIENTS = {f"data_race__{what}_{kind}": "data race" for kind in KINDS for what in ("fills", "passes", "in_the_heap")}
CLIENTS |= {f"right_{half}{kind}": "" for kind in KINDS for half in ("", "half_")}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(SOURCE, tmp_path_factory.mktemp("by_value") / "by_value", warn=compilers.warned)


def test_every_client_is_looked_at(program):
    assert sorted(clients_of(program)) == sorted(CLIENTS)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_execution(client, program):
    report = run(program, client, Settings(mode="exhaustive"))
    assert report.kind == CLIENTS[client], report.message
    assert report.complete


def listed(body, *, stores_too=True):
    """The announcements that a function gets: what is before which line."""

    def call(operation, size, _register, place, how_many):
        return [f"<{operation} {size}*{how_many.strip('$%')} at {place}>"]

    text = "\t.type f, @function\nf:\n" + "".join(f"\t{line}\n" for line in body) + "\t.size f, .-f\n"
    return re.findall("<(.*?)>", announced(text, call, stores_too=stores_too))


ENTRY = ["movq 8(%rbp), %rdi", "call __tsan_func_entry"]


@pytest.mark.parametrize(
    ("body", "added"),
    [
        (["movq out(%rip), %rdi", "call take"], ["copied 1*8 at out(%rip)"]),
        (["movl $out, %edi", "call __tsan_read8", "movq out(%rip), %rdi", "call take"], []),
        (["leaq 8(%rbx), %rdi", "call __tsan_read16", "movq 16(%rbx), %rdi", "call take"], []),
        (["leaq 8(%rbx), %rdi", "call __tsan_read8", "movq 16(%rbx), %rdi", "call take"], ["copied 1*8 at 16(%rbx)"]),
        (["movl $out, %edi", "call __tsan_read8", "jmp .L2", ".L2:", "movq out(%rip), %rdi"], []),
        (["movq -8(%rbp), %rdi", "movq %fs:8, %rsi", "movsd .LC0(%rip), %xmm0", "call take"], []),
        (["movq %rdi, %rbx", "rep movsq", "call take"], ["copied 8*rcx at (%rsi)"]),
        (["call make", "movq %rax, out(%rip)"], ["written 1*8 at out(%rip)"]),
        (["call make", "movl $out, %edi", "call __tsan_write8", "movq %rax, out(%rip)"], []),
        (["call make", "movq %rax, -8(%rbp)"], []),
    ],
)
def test_what_no_announcement_names_is_announced(body, added):
    assert listed([*ENTRY, *body]) == added
    assert listed(body if "tsan" not in str(body) else ["nop"]) == []  # a function that the sanitizer leaves alone
    assert listed([*ENTRY, *body], stores_too=False) == [what for what in added if "copied" in what]


def test_the_load_that_clang_keeps_beside_an_atomic_one_is_no_plain_read():
    """clang 14 to 16 announce an atomic load by a call, and do not take the load itself out."""
    body = ["call __tsan_atomic32_load@PLT", "movq -16(%rbp), %rcx", "movl (%rcx), %ecx", "call take"]
    assert listed([*ENTRY, *body], stores_too=False) == []
    assert listed([*ENTRY, *body]) == ["copied 1*4 at (%rcx)"]  # gcc keeps none
    again = [*body[:3], "movl (%rcx), %edi", "call take"]
    assert listed([*ENTRY, *again], stores_too=False) == ["copied 1*4 at (%rcx)"]
    wider = [*body[:2], "movq (%rcx), %rcx", "call take"]
    assert listed([*ENTRY, *wider], stores_too=False) == ["copied 1*8 at (%rcx)"]


def test_a_result_in_memory_is_announced_by_the_function_that_makes_it():
    body = ["movq %rdi, %rax", "movups %xmm0, (%rdi)", "movq $0, 16(%rdi)", "ret"]
    assert listed(body) == ["written 1*16 at (%rdi)", "written 1*8 at 16(%rdi)"]
    assert listed(["movups %xmm0, (%rdi)", "ret"]) == []
    kept = ["movq %rdi, %rbx", *ENTRY, "call other", "movq %rsi, 8(%rbx)", "movq %rbx, %rax", "ret"]
    assert listed(kept) == ["written 1*8 at 8(%rbx)"]
