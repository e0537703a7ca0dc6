"""What the compiler reads of an answer in C, whatever its file looks like; and what of it the clients reach."""

import pytest
from compilers import NEEDS_C
from patience import STUCK

from lockfree.modelcheck import Settings
from lockfree.practice.c_reach import Reach
from lockfree.practice.c_stages import checked
from lockfree.practice.c_text import ENDED, faults, refused_directives
from lockfree.practice.catalog import find
from lockfree.practice.screen import screen

RING = find("spsc_ring")
RIGHT = (RING.folder / "right" / "acquire_release.c").read_text()
PUBLISH = "atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);"
RELAXED = PUBLISH.replace("release", "relaxed")
PUT = "int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {\n"

DIRECTIVES = {
    '#include "../check/model.c"\n': "somebody else",
    '%:include "../check/model.c"\n': "somebody else",
    '#inc\\\nlude "../check/model.c"\n': "somebody else",
    '#/* a */include "../check/model.c"\n': "somebody else",
    'static char a[] = "/*";\n#include </etc/passwd>\nstatic char b[] = "*/";\n': "somebody else",
    "#import <stdio.h>\n": "somebody else",
    "#define X <stdio.h>\n#include X\n": "somebody else",
    '#line 1 "other.c"\n': "a place",
    '# 1 "other.c" 3\n': "a place",
    '#include "spsc_ring.h"\n#include <stdatomic.h> // why\n# define line 3\n': "",
}


@pytest.mark.parametrize("text", DIRECTIVES)
def test_directives_are_known_however_they_are_written(text):
    found = list(refused_directives(text))
    assert DIRECTIVES[text] in "\n".join(found) if DIRECTIVES[text] else found == []


WORDS = {
    "int a = '\"'; asm(\"nop\"); int b = '\"';": "inline assembly",
    '__attribute__((no_sanitize("thread"))) int f(void);': "no_sanitize",
    "__attribute__((aligned(64),\n no_sanitize_coverage)) int f(void);": "no_sanitize_coverage",
    '[[gnu::no_sanitize("thread")]] int f(void);': "in brackets",
    '#pragma GCC optimize("O0")': "#pragma",
    "static int __VERIFIER_atomic_put(void);": "the judge's tools",
    "__builtin_memcpy(a, b, 64);": "__builtin_memcpy",
    "if (!__builtin_constant_p(x)) f();": "__builtin_constant_p",
    "_mm_stream_si64(a, b);": "_mm_stream_si64",
    "__atomic_store_n(&a,\n 1, n ? 0 : 3);": "no constant",
    "__atomic_compare_exchange_n(&a, &b, 1, 0, 5, order);": "no constant",
    "int memory_order_release = 0;": "no constant",
}


@pytest.mark.parametrize("text", WORDS)
def test_words_that_no_answer_has_a_use_for(text):
    assert WORDS[text] in "\n".join(words for _, words in faults(text))


def test_what_answers_may_say():
    text = """
static _Alignas(64) char a[64]; const char *told = "asm and __builtin_memcpy";
__attribute__((always_inline, __aligned__(64))) static inline int f(void) { return __builtin_expect(g[h[0]], 0); }
[[maybe_unused]] static int i;
    __atomic_store (p, &t, (memory_order_release)); __atomic_fetch_add(&n, f(1, 2), 3); _mm_pause();
    return memory_order_relaxed == 0;
"""
    assert faults(text) == []


UNSEEN = ("*(int __seg_fs *)0 = 1;", "_m_maskmovq(a, b, c);", "_fxsave(area);", "_xrstor64(area, 1);", "_rdrand32_step(&v);",
          "_writefsbase_u64(0);", "_directstoreu_u32(p, 1);")  # fmt: skip


@pytest.mark.parametrize("text", UNSEEN)
def test_memory_and_instructions_that_no_tool_sees_are_refused(text):
    assert len(faults(text)) == 1


STAGES = {
    "its own text for the model": (PUBLISH, f"\n#ifdef LF_MODEL\n{PUBLISH}\n#else\n{RELAXED}\n#endif\n"),
    "its own text without optimization": (PUBLISH, f"\n#ifdef __OPTIMIZE__\n{PUBLISH}\n#else\n{RELAXED}\n#endif\n"),
    "its own text for threads": (PUBLISH, f"\n#ifdef _REENTRANT\n{RELAXED}\n#else\n{PUBLISH}\n#endif\n"),
    "a header of the judge": (
        PUBLISH,
        f'\n#if __has_include("lockfree_model.h")\n{PUBLISH}\n#else\n{RELAXED}\n#endif\n',
    ),
    "the value of a macro": (PUT, f"#define T(x) U(x)\n#define U(x) static int f_##x;\nT(LF_MODEL)\n{PUT}"),
}


@NEEDS_C
@pytest.mark.parametrize("what", STAGES)
def test_an_answer_is_the_same_in_all_stages(tmp_path, what):
    answer = tmp_path / RING.file
    answer.write_text(RIGHT.replace(*STAGES[what]))
    assert "not the same for all stages" in screen(RING, answer)[0].text
    answer.write_text(RIGHT)
    assert screen(RING, answer) == []


@NEEDS_C
def test_a_use_that_only_an_optimizer_takes_out_is_seen(tmp_path):
    answer = tmp_path / RING.file
    once = "int fork(void);\nstatic int more(int x) { for (int i = 0; i < 3; i++) x += i; return x; }\n"
    answer.write_text(once + RIGHT.replace(PUT, f"{PUT}    if (!more(1)) fork();\n"))
    assert "uses fork" in screen(RING, answer)[0].text


@NEEDS_C
def test_an_answer_is_one_file(tmp_path):
    answer = tmp_path / RING.file
    answer.write_text(RIGHT)
    header = (RING.folder / "include" / "spsc_ring.h").read_text()
    (tmp_path / "spsc_ring.h").write_text(header)
    assert screen(RING, answer) == []
    (tmp_path / "spsc_ring.h").write_text(header.replace("#endif", "static int more;\n#endif"))
    assert "is not the kata's" in screen(RING, answer)[0].text


HIDDEN = (
    RELAXED,
    "*(volatile uint32_t *)&ring->tail = tail + 1;",
    "__atomic_store_n((int *)&ring->tail, tail + 1, 0);",
)


@NEEDS_C
def test_an_access_that_no_client_reaches_is_found_wherever_it_comes_from(tmp_path):
    answer = tmp_path / RING.file
    names = "\n".join(f"#define L{number} {text}" for number, text in enumerate(HIDDEN))
    branches = "\n".join(f"    if (tail == {5000 + number}) {{ L{number} return 1; }}" for number in range(len(HIDDEN)))
    harmless = "    if (tail == 9) return 1;\n    "
    answer.write_text(f"{names}\n" + RIGHT.replace(PUBLISH, f"{branches}\n{harmless}{PUBLISH}"))
    reach = Reach(answer)
    settings = Settings(seconds=STUCK, coverage=True)
    assert checked(RING, answer, "model", settings, lambda _text: None, reach=reach).outcome.value == "passed"
    assert [text.partition(":")[2].strip() for text in reach.unreached()] == [
        branch.strip() for branch in branches.splitlines()
    ]


@NEEDS_C
def test_a_small_function_that_the_compiler_copies_is_reached(tmp_path):
    answer = RING.folder / "right" / "free_slot.c"
    assert "static uint32_t after(" in answer.read_text()
    reach = Reach(answer)
    checked(RING, answer, "model", Settings(seconds=STUCK, coverage=True), lambda _text: None, reach=reach)
    assert reach.unreached() == []


@pytest.mark.parametrize(
    "said",
    [
        "cc: fatal error: Killed signal terminated program cc1",
        "cc: internal compiler error: File size limit exceeded signal terminated program cc1",
        "cc1: out of memory allocating 65536 bytes",
        "answer.c:3:1: error: expected identifier",
    ],
)
def test_a_compiler_that_ran_into_its_limits_is_known(said):
    assert (ENDED.search(said) is not None) == ("expected" not in said)
