"""Which reads of clang's are announced, and which of them are none."""

import pytest

from lockfree.modelcheck.unused import without_unused_reads

ANNOUNCED = "\tleaq\t-16(%rbp), %rdi\n\tcallq\t__tsan_read8@PLT\n"


@pytest.mark.parametrize(
    "behind",
    [
        "\tmovq\t-16(%rbp), %rax\n",
        "\tleaq\tx, %rax\n\tcmpq\t%rax, -16(%rbp)\n",
        ".Ltmp246:\n\t.loc\t0 424 5 is_stmt 0               # a.c:424:5\n\taddq\t-16(%rbp), %rcx\n",
        "\tmovb\t-9(%rbp), %al\n",  # a part of it
        "\tmovzbl\t-16(%rbp,%rcx), %eax\n",
    ],
)
def test_what_is_read_stays_announced(behind):
    text = f"{ANNOUNCED}{behind}\tcallq\tf@PLT\n"
    assert without_unused_reads(text) == text


@pytest.mark.parametrize(
    "behind",
    [
        "\tleaq\t-16(%rbp), %rdi\n\tcallq\tpthread_create@PLT\n\tmovq\t-16(%rbp), %rdi\n",  # `(void)p;` before it
        "\tmovq\t-8(%rbp), %rax\n\tretq\n",
        ".LBB0_1:                                # a loop\n\tmovq\t-16(%rbp), %rax\n",
        "",
    ],
)
def test_what_is_not_read_is_not(behind):
    assert without_unused_reads(f"\tnop\n{ANNOUNCED}{behind}") == f"\tnop\n{behind}"
