"""Which stack slots and registers are cleared before a call, and which never."""

import re

import pytest

from lockfree.modelcheck.slots import cleared

FUNCTION = """
\t.type\tf,@function
f:                                      # @f
# %bb.0:
\tpushq\t%rbp
\tmovq\t%rsp, %rbp
\tsubq\t$80, %rsp
BODY
\taddq\t$80, %rsp
\tpopq\t%rbp
\tretq
.Lfunc_end0:
\t.size\tf, .Lfunc_end0-f
"""
CALL = "callq\t__tsan_atomic32_load@PLT"


def at_calls(body):
    """The bytes that are 0 at each call which a thread could wait in."""
    text = cleared(FUNCTION.replace("BODY", "\n".join(line.strip() for line in body.strip().split("\n"))))
    found, bytes_ = [], set()
    for line in text.split("\n"):
        if clears := re.fullmatch(r"\tmov([bwlq])\t\$0, (-\d+)\(%rbp\)", line):
            start = int(clears[2])
            bytes_ |= set(range(start, start + {"b": 1, "w": 2, "l": 4, "q": 8}[clears[1]]))
        elif "callq" in line:
            found.append(bytes_)
            bytes_ = set()
    return found


WAITS = f"""
    movl\t$7, -12(%rbp)
    .LBB0_1:
    {CALL}
    movl\t%eax, -16(%rbp)
    movl\t-16(%rbp), %eax
    cmpl\t-12(%rbp), %eax
    jne\t.LBB0_1
"""


def test_what_a_turn_leaves_is_cleared_and_what_it_needs_is_not():
    [zero] = at_calls(WAITS)
    assert zero == {-16, -15, -14, -13}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("movl\t%eax, -16(%rbp)\n.LBB0_1:\nCALL\ncmpl\t-16(%rbp), %eax\nmovl\t%eax, -16(%rbp)\njne\t.LBB0_1", "the next turn"),
        ("movl\t%eax, -16(%rbp)\nCALL\ntestl\t%eax, %eax\nje\t.LBB0_2\nmovl\t$1, -16(%rbp)\n.LBB0_2:\nmovl\t-16(%rbp), %eax", "one path"),
        ("movl\t%eax, -16(%rbp)\nCALL\naddl\t$1, -16(%rbp)", "read and written"),
        ("movl\t%eax, -16(%rbp)\nleaq\t-16(%rbp), %rdi\nCALL", "its address is taken"),
        ("movl\t%eax, -16(%rbp)\nleaq\t-24(%rbp), %rdi\nCALL", "it may be a part of what is below"),
        ("movl\t%eax, -16(%rbp)\nleaq\t-5000(%rbp), %rdi\nCALL", "an object of that size may reach there"),
        ("movl\t%eax, -16(%rbp)\nmovl\t-32(%rbp,%rcx,4), %eax\nCALL", "an array may reach there"),
        ("movl\t%eax, -16(%rbp)\nCALL\nfildl\t-16(%rbp)", "an instruction that is not known"),
        ("movl\t%eax, -16(%rbp)\n#APP\nincl\t-16(%rbp)\n#NO_APP\nCALL", "inline assembly"),
        ("movl\t%eax, -16(%rbp)\nCALL\njmpq\t*.LJTI0_0(,%rax,8)\n.LBB0_9:\nmovl\t-16(%rbp), %eax", "a table of jumps"),
        (".cfi_lsda 3, .Lexception0\nmovl\t%eax, -16(%rbp)\nCALL\nretq\n.LBB0_9:\nmovl\t-16(%rbp), %eax", "an exception"),
        ("movq\t%rax, -16(%rbp)\ncallq\t*-16(%rbp)", "the function that is called"),
        ("movl\t%eax, -16(%rbp)\ncallq\t_setjmp@PLT\nCALL", "setjmp comes back"),
        ("movl\t%eax, -16(%rbp)\nmovq\t%rbp, %rdi\nCALL", "the frame is given away"),
    ],
)  # fmt: skip
def test_what_is_never_cleared(body, kept):
    assert not {-16, -15} & set().union(*at_calls(body.replace("CALL", CALL))), kept


def test_what_is_below_an_object_whose_address_is_taken_is_cleared():
    assert at_calls(f"movl\t%eax, -16(%rbp)\nmovl\t%eax, -32(%rbp)\nleaq\t-24(%rbp), %rdi\n{CALL}") == [
        {-32, -31, -30, -29}
    ]


def test_of_a_slot_that_is_overwritten_in_part_only_that_part_is_cleared():
    body = f"movl\t%eax, -16(%rbp)\n{CALL}\nmovw\t$1, -16(%rbp)\nmovl\t-16(%rbp), %eax"
    assert at_calls(body) == [{-16, -15}]


def test_where_rbp_is_no_frame_pointer_nothing_is_cleared():
    text = FUNCTION.replace("BODY", WAITS)
    without = text.replace("\tmovq\t%rsp, %rbp\n", "")
    assert cleared(text) != text
    assert cleared(without) == without


def test_calls_of_the_instrumentation_stay_as_they_are():
    body = f"movl\t%eax, -16(%rbp)\ncallq\t__tsan_write4@PLT\ncallq\tother\n{CALL}"
    assert [len(zero) for zero in at_calls(body)] == [0, 4, 4]


def test_a_listing_without_such_slots_stays_as_it_is():
    text = FUNCTION.replace("BODY", f"\t{CALL}")
    assert cleared(text) == text


OF_GCC = """
\t.type\tf, @function
f:
.LFB1:
\tpushq\t%rbp
\tmovq\t%rsp, %rbp
\tpushq\t%r12
\tpushq\t%rbx
\tsubq\t$16, %rsp
.L2:
BODY
\taddq\t$16, %rsp
\tpopq\t%rbx
\tpopq\t%r12
\tpopq\t%rbp
\tret
.LFE1:
\t.size\tf, .-f
"""
LOOK = "call\t__tsan_atomic32_load"
TRY = "call\t__tsan_atomic32_compare_exchange_strong"


def zero_at(call, body):
    """What is 0 at the last such call."""
    lines = "\n".join(line.strip() for line in body.strip().split("\n"))
    text = cleared(OF_GCC.replace("BODY", lines.replace("LOOK", LOOK).replace("TRY", TRY)), registers=True)
    before = text[: text.rindex(call)].rstrip().split("\n")
    found = set()
    while clears := re.fullmatch(r"\tmov[bwlq]\t\$0, (\S+)", before.pop()):
        found.add(clears[1])
    return found


TRIES = """
    LOOK
    movl\t%eax, %ebx
    leaq\t-20(%rbp), %rdi
    call\t__tsan_write4
    movl\t%ebx, -20(%rbp)
    leal\t1(%rbx), %edx
    leaq\t-20(%rbp), %rsi
    TRY
    testb\t%al, %al
    je\t.L2
"""


def test_what_a_turn_leaves_in_registers_is_cleared():
    assert zero_at(LOOK, TRIES) == {"%rbx", "%r12", "-20(%rbp)"}
    assert zero_at(TRY, TRIES) == {"%rbx", "%r12"}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("LOOK\ncmpl\t%eax, %ebx\nmovl\t%eax, %ebx\njne\t.L2", "the next turn"),
        ("LOOK\ntestl\t%eax, %eax\nje\t.L3\nmovl\t$1, %ebx\n.L3:\nmovl\t%ebx, %eax", "one path"),
        ("LOOK\nmovb\t$1, %bl\nmovl\t%ebx, %eax", "a part of it is written"),
        ("LOOK\nleal\t1(%rbx), %ebx", "it is written with what it was"),
        ("LOOK\nmovl\t%eax, (%rbx)", "it is an address"),
        ("LOOK\nxorl\t%eax, %ebx", "it is changed"),
        ("LOOK\ncall\t*%rbx", "the function that is called"),
        ("LOOK\n#APP\nnop\n#NO_APP\nmovl\t$0, %ebx", "inline assembly"),
        ("LOOK\nlock cmpxchg16b\t(%rdi)\nmovl\t$0, %ebx", "an instruction that does not name it"),
        ("LOOK\nnotrack jmp\t*.L9(,%rax,8)\n.L3:\nmovl\t%ebx, %eax", "a table of jumps"),
        ("LOOK\njmp\t.L77\nmovl\t$0, %ebx", "a label elsewhere"),
        (".cfi_lsda 3,.LLSDA1\nLOOK\nmovl\t$0, %ebx\nret\n.L9:\nmovl\t%ebx, %eax", "an exception"),
        ("call\t_setjmp\nLOOK\nmovl\t$0, %ebx", "setjmp comes back"),
    ],
)
def test_which_registers_are_never_cleared(body, kept):
    assert "%rbx" not in zero_at(LOOK, body), kept


def test_registers_that_the_function_has_not_saved_are_those_of_its_callers():
    """It may throw, and is no place where they are restored."""
    assert "%r13" not in zero_at(LOOK, "LOOK\nmovl\t$0, %r13d\njmp\t.L2")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("leaq\t-20(%rbp), %rdi\ncall\tother\nLOOK\nmovl\t%eax, -20(%rbp)", "another function has its address"),
        ("leaq\t-20(%rbp), %rdi\nmovq\t%rdi, %rax\ncall\t__tsan_write4\nLOOK\nmovl\t%eax, -20(%rbp)", "a copy"),
        ("leaq\t-20(%rbp), %rdi\n.L3:\ncall\t__tsan_write4\nLOOK\nmovl\t%eax, -20(%rbp)", "another way to the call"),
        ("LOOK\nleaq\t-20(%rbp), %rsi\nTRY\nmovl\t%eax, -20(%rbp)", "the value that is expected"),
        (f"{TRIES}\nLOOK\ncmovnb\t-20(%rbp), %rax\nmovl\t%eax, -20(%rbp)", "a condition whose name ends like a size"),
        ("LOOK\nmovl\t%eax, -12(%rbp)\nmovl\t-12(%rbp), %eax\njmp\t.L2", "a register of the caller is there"),
    ],
)
def test_which_slots_of_gcc_are_never_cleared(body, kept):
    assert not [place for place in zero_at(LOOK, body) if "(%rbp)" in place], kept
