"""Inline assembly and intrinsics of x86-64: seen as what they are, or refused by name."""

import os

import pytest

from lockfree.modelcheck import Settings, Verdict, check, replay
from lockfree.modelcheck.assembly import needs_translation, translated

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the instructions are those of x86-64")

HEAD = """
#include <immintrin.h>
#include <stdatomic.h>
#include <stdint.h>
#include "lockfree_model.h"
static atomic_int x, y, lock;
static int seen[2], sum, word;
static int64_t wide[2] __attribute__((aligned(16)));
static int load(int *p) { int v; __asm__ volatile("movl %1, %0" : "=r"(v) : "m"(*p) : "memory"); return v; }
static void store(int *p, int v) { __asm__ volatile("movl %1, %0" : "=m"(*p) : "r"(v) : "memory"); }
static int exchange(int *p, int v) { __asm__ volatile("xchgl %0, %1" : "+r"(v), "+m"(*p) : : "memory"); return v; }
static int cas(int *p, int old, int new) {
    unsigned char won;
    __asm__ volatile("lock; cmpxchgl %3, %1\\n\\tsete %0" : "=q"(won), "+m"(*p), "+a"(old) : "r"(new) : "memory", "cc");
    return won;
}
static int add(int *p, int v) { __asm__ volatile("lock; xaddl %0, %1" : "+r"(v), "+m"(*p) : : "memory", "cc"); return v; }
static int set_bit(int *p, int bit) {
    unsigned char was;
    __asm__ volatile("lock btsl %2, %1\\n\\tsetc %0" : "=q"(was), "+m"(*p) : "Ir"(bit) : "memory", "cc");
    return was;
}
static int double_cas(int64_t *p, int64_t low, int64_t high, int64_t new_low, int64_t new_high) {
    unsigned char won;
    __asm__ volatile("lock cmpxchg16b %1\\n\\tsetz %0" : "=q"(won), "+m"(*p), "+a"(low), "+d"(high)
                     : "b"(new_low), "c"(new_high) : "memory", "cc");
    return won;
}
"""
STORE_BUFFER = """
static void a(void) {{ atomic_store_explicit(&x, 1, memory_order_relaxed); {0}; seen[0] = atomic_load_explicit(&y, memory_order_relaxed); }}
static void b(void) {{ atomic_store_explicit(&y, 1, memory_order_relaxed); {0}; seen[1] = atomic_load_explicit(&x, memory_order_relaxed); }}
static void final(void) {{ lf_model_assert(seen[0] || seen[1]); }}
LF_MODEL_CLIENT(c, .threads = {{a, b}}, .final = final);
"""
MESSAGE = """
static void a(void) {{ sum = 1; {0}; atomic_store_explicit(&x, 1, memory_order_relaxed); }}
static void b(void) {{ if (atomic_load_explicit(&x, memory_order_relaxed)) {{ {1}; lf_model_assert(sum == 1); }} }}
LF_MODEL_CLIENT(c, .threads = {{a, b}});
"""
SECTION = """
static void a(void) {{ {0}; sum++; {1}; }}
static void final(void) {{ lf_model_assert(sum == 2); }}
LF_MODEL_CLIENT(c, .threads = {{a, a}}, .final = final);
"""
UNLOCK = "store((int *)&lock, 0)"
LOOP_IN_ASSEMBLY = r"""
    __asm__ volatile("1: movl $1, %%eax\n xchgl %%eax, %0\n testl %%eax, %%eax\n jz 2f\n pause\n jmp 1b\n2:"
                     : "+m"(lock) :: "eax", "memory", "cc")"""


@pytest.fixture
def model(tmp_path):
    def run(text):
        (tmp_path / "client.c").write_text(HEAD + text)
        [report] = check(tmp_path / "client.c", settings=Settings(mode="exhaustive"))
        return report

    return run


@pytest.mark.parametrize(
    ("fence", "kind"),
    [
        ("_mm_mfence()", ""),
        ("__builtin_ia32_mfence()", ""),
        ('__asm__ volatile("mfence" ::: "memory")', ""),
        ('__asm__ volatile("lock; addl $0,0(%%rsp)" ::: "memory", "cc")', ""),
        ('__asm__ volatile("lock orq $0, (%%rsp)" ::: "memory", "cc")', ""),
        ("exchange(&word, 1)", ""),
        ("(void)0", "assertion failed"),
        ('__asm__ volatile("" ::: "memory")', "assertion failed"),
        ("_mm_lfence()", "assertion failed"),
        ("_mm_sfence()", "assertion failed"),
        ("_mm_pause()", "assertion failed"),
    ],
)
def test_store_buffers(fence, kind, model):
    assert model(STORE_BUFFER.format(fence)).kind == kind


@pytest.mark.parametrize(
    ("writer", "reader", "kind"),
    [
        ("_mm_sfence()", "_mm_lfence()", ""),
        ('__asm__("sfence")', '__asm__("lfence")', ""),
        ("_mm_sfence()", "(void)0", "data race"),
        ("(void)0", "_mm_lfence()", "data race"),
    ],
)
def test_messages(writer, reader, kind, model):
    assert model(MESSAGE.format(writer, reader)).kind == kind


@pytest.mark.parametrize(
    ("take", "give", "kind"),
    [
        ("while (exchange((int *)&lock, 1)) _mm_pause()", UNLOCK, ""),
        ('while (exchange((int *)&lock, 1)) __asm__ volatile("rep; nop" ::: "memory")', UNLOCK, ""),
        ("while (!cas((int *)&lock, 0, 1)) ;", UNLOCK, ""),
        (
            "while (set_bit((int *)&lock, 3)) ;",
            '__asm__ volatile("lock btrl $3, %0" : "+m"(lock) :: "memory", "cc")',
            "",
        ),
        ("while (load((int *)&lock) || !cas((int *)&lock, 0, 1)) ;", UNLOCK, ""),
        ("int ticket = add(&word, 1); while (load((int *)&lock) != ticket) ;", "add((int *)&lock, 1)", ""),
        ("while (!double_cas(wide, 0, 0, 1, 2)) ;", "double_cas(wide, 1, 2, 0, 0)", ""),
        (
            LOOP_IN_ASSEMBLY,
            UNLOCK,
            "",
        ),
        ("while (load((int *)&lock)) ; store((int *)&lock, 1)", UNLOCK, "data race"),
        ("while (exchange((int *)&lock, 1)) _mm_pause()", "(void)0", "deadlock"),
        ("while (!double_cas(wide, 0, 0, 0, 0)) ;", "(void)0", "data race"),
        ("while (!cas((int *)&lock, 0, 0)) ;", UNLOCK, "data race"),
    ],
)
def test_locks(take, give, kind, model):
    assert model(SECTION.format(take, give)).kind == kind


@pytest.mark.parametrize(
    ("statement", "count", "kind"),
    [
        ("add(&word, 1)", 2, ""),
        ('__asm__ volatile("lock; incl %0" : "+m"(word) :: "memory", "cc")', 2, ""),
        ('__asm__ volatile("lock subl $-1, %0" : "+m"(word) :: "memory", "cc")', 2, ""),
        ('__asm__ volatile("incl %0" : "+m"(word) :: "memory", "cc")', 2, "assertion failed"),
        ("store(&word, load(&word) + 1)", 2, "assertion failed"),
        ("word++", 2, "data race"),
    ],
)
def test_counters(statement, count, kind, model):
    text = "static void a(void) { STATEMENT; }\nstatic void final(void) { lf_model_assert(word == COUNT); }\n"
    text += "LF_MODEL_CLIENT(c, .threads = {a, a}, .final = final);"
    assert model(text.replace("STATEMENT", statement).replace("COUNT", str(count))).kind == kind


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ('__asm__ volatile("rep movsb" : : "S"(&x), "D"(&word), "c"(4) : "memory")', "rep movsb"),
        ('unsigned low, high; __asm__ volatile("rdtsc" : "=a"(low), "=d"(high))', "rdtsc"),
        ("(void)__rdtsc()", "rdtsc"),
        ('__asm__ volatile("movaps %%xmm0, %0" : "=m"(wide) : : "memory")', "movaps"),
        ('__asm__ volatile("shll $1, %0" : "+m"(word) : : "memory")', "shll"),
        ('__asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory")', "syscall"),
        ('__asm__ volatile(".byte 0x0f, 0x0b")', ".byte"),
        ("_mm_stream_si32(&word, 3)", "movnti"),
    ],
)
def test_what_is_not_known_is_refused_by_name(statement, named, model):
    report = model(f"static void a(void) {{ {statement}; }}\nLF_MODEL_CLIENT(c, .threads = {{a, a}});")
    assert report.verdict is Verdict.UNUSABLE
    assert "inline assembly that the checker does not follow" in report.message
    assert named in report.message
    assert "client.c:" in report.message


def test_assembly_that_no_thread_runs_is_no_matter(model):
    text = """
    static void set(void) { unsigned low, high; __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)); sum = low & 1; }
    static void a(void) { x++; }
    LF_MODEL_CLIENT(c, .setup = set, .threads = {a, a});"""
    assert model(text).verdict is Verdict.OK


SAME = r"""
#define RESULTS 0x8C5 /* carry, parity, zero, sign, overflow */
static int64_t cell;
static unsigned char bytes;
#define COMPARE(mnemonic, suffix, type)                                                                     \
    do {                                                                                                    \
        type own = (type)a, mine = (type)b, yours = (type)b;                                                \
        unsigned long my_flags, your_flags;                                                                 \
        cell = (type)a;                                                                                     \
        __asm__ volatile(mnemonic suffix " %1, %0\n\tpushfq\n\tpopq %2"                                     \
                         : "+m"(own), "+r"(mine), "=&r"(my_flags) : : "memory", "cc");                      \
        __asm__ volatile(mnemonic suffix " %1, %0\n\tpushfq\n\tpopq %2"                                     \
                         : "+m"(*(type *)&cell), "+r"(yours), "=&r"(your_flags) : : "memory", "cc");        \
        lf_model_assert(own == *(type *)&cell);                                                             \
        lf_model_assert(mine == yours);                                                                     \
        lf_model_assert(((my_flags ^ your_flags) & (FLAGS)) == 0);                                          \
    } while (0)
static void all(void) {
    static const int64_t values[] = {0, 1, -1, 2, 127, 128, -128, 255, 0x7FFFFFFF, -0x7FFFFFFFLL - 1, INT64_MAX, INT64_MIN, 12345};
    enum { COUNT = sizeof values / sizeof *values };
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            int64_t a = values[i], b = values[j];
            COMPARE(MNEMONIC, "q", int64_t);
            COMPARE(MNEMONIC, "l", int32_t);
            COMPARE(MNEMONIC, "w", int16_t);
            NARROW
        }
}
static void other(void) { atomic_store(&y, 1); }
LF_MODEL_CLIENT(c, .setup = all, .threads = {other});
"""


@pytest.mark.parametrize("mnemonic", ["add", "sub", "and", "or", "xor", "xadd", "xchg", "cmp", "test", "mov"])
def test_results_and_flags_are_those_of_the_processor(mnemonic, model):
    """Accesses to the own frame are left to the processor, the others are made by the runtime."""
    locked = "lock " if mnemonic in {"add", "sub", "and", "or", "xor", "xadd"} else ""
    flags = "0" if mnemonic in {"mov", "xchg"} else "RESULTS"
    text = SAME.replace("MNEMONIC", f'"{locked}{mnemonic}"').replace(
        "NARROW", f'COMPARE("{locked}{mnemonic}", "b", int8_t);'
    )
    report = model(text.replace("FLAGS", flags))
    assert report.verdict is Verdict.OK, report.message


@pytest.mark.parametrize("mnemonic", ["bts", "btr", "btc", "bt"])
def test_bits_are_those_of_the_processor(mnemonic, model):
    locked = "" if mnemonic == "bt" else "lock "
    text = SAME.replace("MNEMONIC", f'"{locked}{mnemonic}"').replace("NARROW", "").replace("(type)b", "(type)b & 15")
    report = model(text.replace("FLAGS", "1"))
    assert report.verdict is Verdict.OK, report.message


VOLATILE = """
static volatile int flag, flags[2];
static volatile unsigned char narrow;
static volatile int64_t big;
static int data;
static void final(void) {{ volatile int own = 3; own++; lf_model_assert(own == 4); }}
"""
USE = """
static void a{0}(void) {{ data = 1; {before}; {write}; }}
static void b{0}(void) {{ if ({read}) {{ {after}; lf_model_assert(data == 1); }} }}
LF_MODEL_CLIENT(c{0}, .threads = {{a{0}, b{0}}}, .final = final);
"""
WAYS = [
    ("flag = 1", "flag"),
    ("flag = data + 4", "flag == 5"),
    ("flag++", "flag > 0"),
    ("flags[data] = 1", "flags[1]"),
    ("narrow = 200", "narrow == 200"),
    ("big = -1", "big < 0"),
]
RELEASE, ACQUIRE = "__atomic_thread_fence(__ATOMIC_RELEASE)", "__atomic_thread_fence(__ATOMIC_ACQUIRE)"


@pytest.mark.parametrize(
    ("before", "after", "volatile", "kind"),
    [
        (RELEASE, ACQUIRE, "relaxed", ""),
        ("", ACQUIRE, "relaxed", "data race"),
        (RELEASE, "", "relaxed", "data race"),
        (RELEASE, ACQUIRE, "race", "data race"),
    ],
)
def test_volatile_objects(before, after, volatile, kind, tmp_path):
    text = HEAD + VOLATILE.format()
    for number, (write, read) in enumerate(WAYS):
        text += USE.format(number, write=write, read=read, before=before, after=after)
    (tmp_path / "client.c").write_text(text)
    reports = check(tmp_path / "client.c", settings=Settings(mode="exhaustive"), volatile=volatile)
    assert [report.kind for report in reports] == [kind] * len(WAYS)
    if kind:
        assert replay(tmp_path / "client.c", reports[-1].token, volatile=volatile).kind == kind


LOOPS = [
    # what is on a stack may be known to others
    (
        "int mine = 0; atomic_store(&place, (intptr_t)&mine); while (!load(&mine)) ;",
        "int *his; while ((his = (int *)atomic_load(&place)) == NULL) ; store(his, 1);",
    ),
    # a call between two looks leaves something in registers
    (
        'while (load(&word) == sum) __asm__ volatile("pause"); lf_model_assert(seen[0] == 4)',
        "seen[0] = 4; store(&word, 1);",
    ),
]


@pytest.mark.parametrize(("waits", "ends"), LOOPS)
def test_loops_that_wait_in_assembly(waits, ends, model):
    text = "static _Atomic(intptr_t) place;"
    text += f"static void waits(void) {{ {waits}; }} static void ends(void) {{ {ends} }}"
    report = model(text + "LF_MODEL_CLIENT(c, .threads = {waits, ends});")
    assert (report.verdict, report.complete) == (Verdict.OK, True), report.message


def test_code_without_assembly_is_left_alone():
    text = "main:\n\tmovl $1, x(%rip)\n\tcall __tsan_write4\n\tret\n"
    assert not needs_translation(text)
    assert translated(text) == text


def test_what_only_uses_registers_is_left_alone():
    block = '\t#APP\n# 3 "a.c" 1\n\tbsfl %eax, %ecx; addl $4, %ecx\n# 0 "" 2\n\t#NO_APP\n'
    lines = [line.strip() for line in translated(block).split("\n")]
    assert "bsfl %eax, %ecx" in lines
    assert "addl $4, %ecx" in lines
    assert not any("lf_model" in line for line in lines)


@pytest.mark.parametrize(("lock", "verdict"), [("lock; ", Verdict.OK), ("", Verdict.VIOLATION)])
@pytest.mark.parametrize("instruction", ["cmpxchgl", "cmpxchg16b"])
def test_an_exchange_without_the_lock_prefix_is_two_steps(model, lock, verdict, instruction):
    add = """
            unsigned char won;
            do {
                int old = load(&word);
                __asm__ volatile("LOCKcmpxchgl %3, %1\\n\\tsete %0" : "=q"(won), "+m"(word), "+a"(old) : "r"(old + 1)
                                 : "memory", "cc");
            } while (!won);"""
    if instruction == "cmpxchg16b":
        add = """
            unsigned char won;
            int64_t low = 0, high = 0;
            do
                __asm__ volatile("LOCKcmpxchg16b %1\\n\\tsetz %0" : "=q"(won), "+m"(*wide), "+a"(low), "+d"(high)
                                 : "b"(low + 1), "c"(high) : "memory", "cc");
            while (!won);"""
    report = model(f"""
        static void a(void) {{ {add.replace("LOCK", lock)} }}
        static void final(void) {{ lf_model_assert(word == 2 || wide[0] == 2); }}
        LF_MODEL_CLIENT(c, .threads = {{a, a}}, .final = final);""")
    assert report.verdict is verdict
