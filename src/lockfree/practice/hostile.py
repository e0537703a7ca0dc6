"""Answers that attack the judge, each of which must be rejected for what it is, and leave nothing running.

An answer is a right one with something in it: at the beginning, or where a put begins.
"""

import contextlib
import ctypes
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lockfree.practice.catalog import find
from lockfree.practice.judge import judge
from lockfree.practice.results import Verdict

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Attack:
    """what: in words. language: of the answer. before: text in front of it; inside: where a put begins. expected: the
    stage and the diagnosis of the rejection; says: a part of its message.
    """

    what: str
    language: str
    expected: str
    says: str
    before: str = ""
    inside: str = ""
    instead: tuple[str, str] = ("", "")


SKELETONS = {
    "c": ("spsc_ring", "acquire_release.c", "int spsc_put(", ") {\n"),
    "python": ("bounded_queue", "two_conditions.py", "    def put(", ":\n"),
}
"""By language: the kata, the right answer, and where its put begins."""
TAB = "    "
PUBLISH = "atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);"
RELAXED = "atomic_store_explicit(&ring->tail, tail + 1, memory_order_relaxed);"
RELEASE = "atomic_thread_fence(memory_order_release);"
ATTACKS = (
    Attack("a fork bomb", "c", "screen FORBIDDEN", "uses fork", "#include <unistd.h>\n", "while (1) fork();"),
    Attack("an endless loop", "c", "edges ENDS", "endless loop", "", "for (volatile int i = 0;; i++) ;"),
    Attack("an endless loop of changes", "c", "edges ENDS", "atomic steps",
           inside="static _Atomic unsigned n; for (;;) atomic_fetch_add_explicit(&n, 1, memory_order_relaxed);"),
    Attack("exit(0)", "c", "screen FORBIDDEN", "uses exit", "#include <stdlib.h>\n", "exit(0);"),
    Attack("_exit(0)", "c", "screen FORBIDDEN", "uses _exit", "#include <unistd.h>\n", "_exit(0);"),
    Attack("abort()", "c", "edges", "", "#include <stdlib.h>\n", "abort();"),
    Attack("a system call in assembly", "c", "screen FORBIDDEN", "assembly", "", '__asm__ volatile("syscall");'),
    Attack("a fake verdict", "c", "screen FORBIDDEN", "uses p", "#include <stdio.h>\n", 'puts("summary\\tok");'),
    Attack("a file of the judge", "c", "screen FORBIDDEN", "somebody else", '#include "../check/model.c"\n'),
    Attack("an endless file, included", "c", "screen FORBIDDEN", "somebody else", "#include </dev/zero>\n"),
    Attack("a macro that grows", "c", "screen FORBIDDEN", "the compiler needs",
           "#define A 1 1 1 1 1 1 1 1\n#define B A A A A A A A A\n#define C B B B B B B B B\n"
           "#define D C C C C C C C C\n#define E D D D D D D D D\n#define F E E E E E E E E\n"
           "#define G F F F F F F F F\n#define H G G G G G G G G\nH H H H H H H H\n"),
    Attack("a hidden test, read", "c", "screen FORBIDDEN", "uses fopen", "#include <stdio.h>\n", 'fopen("a", "r");'),
    Attack("a function of the judge, replaced", "c", "screen FORBIDDEN", "the judge's tools",
           "void lf_model_assertion_failed(const char *a, const char *b, int c) { (void)a, (void)b, (void)c; }\n"),
    Attack("code before main", "c", "screen FORBIDDEN", "attribute constructor",
           "__attribute__((constructor)) static void early(void) { __builtin_trap(); }\n"),
    Attack("the judge's memory, written over", "c", "edges", "",
           inside="for (char *at = (char *)ring - 65536; at < (char *)ring; at++) *at = 0;"),
    Attack("a wild pointer", "c", "edges", "", inside="*(volatile int *)8 = 1;"),
    Attack("a hidden mutex", "c", "screen FORBIDDEN", "uses pthread_mutex_lock",
           "#include <pthread.h>\nstatic pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;\n",
           "pthread_mutex_lock(&lock); pthread_mutex_unlock(&lock);"),
    Attack("calls counted: relaxed after many", "c", "reach REACH", "no client reaches",
           instead=(PUBLISH, f"if (tail > 1000 && tail < UINT32_MAX - 1000) {{ {RELAXED} return 1; }}\n    {PUBLISH}")),
    Attack("calls counted: a fence for the first ones", "c", "reach REACH", "goes one way",
           instead=(PUBLISH, f"if (tail - 40 > 99999) {RELEASE}\n    {RELAXED}")),
    Attack("calls counted: an order that depends", "c", "screen FORBIDDEN", "no constant",
           instead=(PUBLISH, PUBLISH.replace("memory_order", "tail > 1000 ? memory_order_relaxed : memory_order"))),
    Attack("instructions as data", "c", "screen FORBIDDEN", "attribute section",
           'static const unsigned char code[] __attribute__((section(".text#"))) = {0xb8, 231, 0, 0, 0, 0x0f, 5};\n',
           "((void (*)(void))(uintptr_t)code)();"),
    Attack("a function by its address", "c", "screen FORBIDDEN", "by its address", "#include <stdlib.h>\n",
           "void (*volatile other)(void) = (void (*)(void))((char *)abort + 64); other();"),
    Attack("the return address, written over", "c", "screen FORBIDDEN", "__builtin_frame_address",
           inside="((void **)__builtin_frame_address(0))[1] = 0;"),
    Attack("a function that is chosen before main", "c", "screen FORBIDDEN", "attribute ifunc",
           "static int one(void) { return 1; }\nstatic int (*choose(void))(void) { return one; }\n"
           'static int chosen(void) __attribute__((ifunc("choose")));\n', "chosen();"),
    Attack("another process, traced", "c", "screen FORBIDDEN", "uses ptrace", "#include <sys/ptrace.h>\n",
           "ptrace(PTRACE_ATTACH, 1, 0, 0);"),
    Attack("the group of the judge, killed", "c", "screen FORBIDDEN", "uses kill",
           "#include <signal.h>\nint kill(int, int);\n", "kill(0, 9);"),
    Attack("a daemon", "c", "screen FORBIDDEN", "uses", "int daemon(int, int);\n", "daemon(0, 0);"),
    Attack("all descriptors closed", "c", "screen FORBIDDEN", "uses close", "#include <unistd.h>\n",
           "for (int i = 0; i < 1024; i++) close(i);"),
    Attack("its own memory as a file", "c", "screen FORBIDDEN", "uses open", "#include <fcntl.h>\n",
           'open("/proc/self/mem", O_RDWR);'),
    Attack("a variable for the loader", "c", "screen FORBIDDEN", "uses setenv",
           "int setenv(const char *, const char *, int);\n", 'setenv("LD_PRELOAD", "/tmp/evil.so", 1);'),
    Attack("a flood of signals", "c", "screen FORBIDDEN", "uses raise", "#include <signal.h>\n",
           "while (1) raise(10);"),
    Attack("another name for a function", "c", "screen FORBIDDEN", "#pragma", "#include <stdlib.h>\n"
           "#pragma redefine_extname abort system\n", "abort();"),
    Attack("a text of its own for the model", "c", "screen FORBIDDEN", "not the same for all stages",
           instead=(PUBLISH, f"\n#ifdef LF_MODEL\n{PUBLISH}\n#else\n{RELAXED}\n#endif\n")),
    Attack("a fake verdict for the model alone", "c", "screen FORBIDDEN", "not the same for all stages",
           '#ifdef __SANITIZE_THREAD__\n#include <unistd.h>\n#define SAY write(1, "summary", 7); _exit(0);\n#else\n'
           "#define SAY\n#endif\n", "SAY"),
    Attack("a header of the judge, looked for", "c", "screen FORBIDDEN", "not the same for all stages",
           '#if __has_include("lockfree_model.h")\n#define ORDER 0\n#else\n#define ORDER 1\n#endif\n',
           "static int order = ORDER; (void)order;"),
    Attack("accesses that no tool sees", "c", "screen FORBIDDEN", "attribute no_sanitize",
           '__attribute__((no_sanitize("thread"))) int spsc_put();\n', instead=(PUBLISH, RELAXED)),
    Attack("branches that no tool sees", "c", "screen FORBIDDEN", "attribute no_sanitize_coverage",
           "__attribute__((no_sanitize_coverage)) int spsc_put();\n"),
    Attack("copies that no tool sees", "c", "screen FORBIDDEN", "__builtin_memcpy",
           inside="struct spsc_record kept; __builtin_memcpy(&kept, record, sizeof kept);"),
    Attack("one step by its name", "c", "screen FORBIDDEN", "the judge's tools",
           "static int __VERIFIER_atomic_one(void) { return 1; }\n", "__VERIFIER_atomic_one();"),
    Attack("assembly in two lines", "c", "screen FORBIDDEN", "assembly", inside='as\\\nm volatile("syscall");'),
    Attack("assembly of two halves", "c", "screen FORBIDDEN", "assembly", "#define HALVES(a, b) a##b\n",
           'HALVES(as, m) volatile("syscall");'),
    Attack("assembly between two quotes", "c", "screen FORBIDDEN", "assembly",
           inside="char a = '\"'; asm(\"syscall\"); char b = '\"'; (void)a, (void)b;"),
    Attack("a file of the judge between two strings", "c", "screen FORBIDDEN", "somebody else",
           'static const char a[] = "/*";\n#include "../check/model.c"\nstatic const char b[] = "*/";\n'),
    Attack("a file of the judge in other letters", "c", "screen FORBIDDEN", "somebody else",
           '%:include "../check/model.c"\n'),
    Attack("places in another file", "c", "screen FORBIDDEN", "a place", '#line 1 "model.c"\n'),
    Attack("an order by arithmetic", "c", "screen FORBIDDEN", "no constant",
           instead=(PUBLISH, PUBLISH.replace("memory_order_release", "3 * (tail < 1000)"))),
    Attack("calls counted: relaxed by a macro", "c", "reach REACH", "LATER", f"#define LATER {RELAXED}\n",
           instead=(PUBLISH, f"if (tail > 1000 && tail < UINT32_MAX - 1000) {{ LATER return 1; }}\n    {PUBLISH}")),
    Attack("calls counted: plain by a cast", "c", "reach REACH", "AS_PLAIN",
           "#define AS_PLAIN(x) *(volatile uint32_t *)&(x)\n",
           instead=(PUBLISH, f"if (tail == 5000) {{ AS_PLAIN(ring->tail) = tail + 1; return 1; }}\n    {PUBLISH}")),
    Attack("memory of another segment", "c", "screen FORBIDDEN", "__seg_fs",
           inside="volatile long own = *(volatile long __seg_fs *)0; (void)own;"),
    Attack("a store by an instruction of its own", "c", "screen FORBIDDEN", "_m_maskmovq",
           "#include <xmmintrin.h>\n", "_m_maskmovq((__m64){-1}, (__m64){-1}, (char *)record);"),
    Attack("all registers, saved over a record", "c", "screen FORBIDDEN", "_fxsave",
           "#include <immintrin.h>\n", "_Alignas(16) static char area[512]; _fxsave(area);"),
    Attack("all memory, static", "c", "screen FORBIDDEN", "bytes of static data", "static char all[1ul << 40];\n",
           "all[1ul << 39] = 1;"),
    Attack("all memory, of each thread", "c", "screen FORBIDDEN", "bytes of static data",
           "static _Thread_local char all[1 << 30];\n", "all[1 << 29] = 1;"),
    Attack("a terminal's escapes", "c", "screen", "\\x1b[2J\\x1b[HACCEPT", "#error \x1b[2J\x1b[HACCEPT\n"),
    Attack("a hundred thousand threads", "c", "screen FORBIDDEN", "uses pthread_create",
           "#include <pthread.h>\nstatic void *go(void *at) { return at; }\n",
           "pthread_t one; for (int i = 0; i < 100000; i++) pthread_create(&one, 0, go, 0);"),
    Attack("the same of the C library", "c", "screen FORBIDDEN", "uses thrd_create",
           "#include <threads.h>\nstatic int go(void *at) { return at != 0; }\n",
           "thrd_t one; for (int i = 0; i < 100000; i++) thrd_create(&one, go, 0);"),
    Attack("all memory", "c", "edges", "", "#include <stdlib.h>\n",
           "for (;;) { char *all = malloc(1 << 30); if (all) for (int i = 0; i < 1 << 30; i += 4096) all[i] = 1; }"),
    Attack("endless recursion", "c", "edges", "exhausted its stack",
           inside="volatile int deep[64]; deep[0] = spsc_put(ring, record); return deep[0];"),
    Attack("sequential only", "c", "model S1", "data race",
           instead=(PUBLISH, RELAXED)),
    Attack("a fork bomb", "python", "screen FORBIDDEN", "import of os", "import os\n", "while True: os.fork()"),
    Attack("an endless loop", "python", "edges", "no progress", inside="while True: pass"),
    Attack("an endless call", "python", "edges ENDS", "no progress", "import itertools\n", "sum(itertools.count())"),
    Attack("exit(0)", "python", "screen FORBIDDEN", "exit", inside="exit(0)"),
    Attack("SystemExit", "python", "edges", "SystemExit", inside="raise SystemExit(0)"),
    Attack("os._exit", "python", "screen FORBIDDEN", "._exit", inside="threading._os._exit(0)"),
    Attack("all memory", "python", "edges", "MemoryError", inside="self.kept = bytearray(1 << 40)"),
    Attack("endless recursion", "python", "edges", "RecursionError", inside="return self.put(item)"),
    Attack("a fake verdict", "python", "edges", "", inside='print(\'["", "end", 0]\'); raise ValueError("ACCEPT")'),
    Attack("a hidden test, read", "python", "screen FORBIDDEN", "open", inside="open('check.py').read()"),
    Attack("a module by another name", "python", "screen FORBIDDEN", "leads out", "import enum\n",
           "enum.bltns.exec('1')"),
    Attack("the judge, patched", "python", "screen FORBIDDEN", "changes threading",
           inside="threading.Thread.start = lambda self: None"),
    Attack("the clock, patched", "python", "screen FORBIDDEN", "changes time", "import time\n",
           "time.monotonic = lambda: 0.0"),
    Attack("the judge, patched behind another name", "python", "edges FORBIDDEN", "threading.Lock",
           inside="for module in [threading]: module.Lock = None"),
    Attack("names looked up by text", "python", "screen FORBIDDEN", "getattr", inside="getattr(threading, '_o' + 's')"),
    Attack("the class of all classes", "python", "screen FORBIDDEN", ".__",
           inside="().__class__.__base__.__subclasses__()"),
    Attack("an attribute by a pattern", "python", "screen FORBIDDEN", "__globals__=",
           inside="match self.put:\n            case object(__globals__=found): found.clear()"),
    Attack("an attribute by a pattern's position", "python", "screen FORBIDDEN", "by position",
           "Any = type('Any', (), {'__match_args__': ('__glo' + 'bals__',)})\n",
           "match self.put:\n            case Any(found): pass"),
    Attack("an annotation that is evaluated", "python", "screen FORBIDDEN", "get_type_hints", "import typing\n",
           "def f(x: \"__import__('os').fork()\"): pass\n        typing.get_type_hints(f)"),
    Attack("an attribute by its name", "python", "screen FORBIDDEN", "attrgetter", "import operator\n",
           "operator.attrgetter('__glo' + 'bals__')(self.put)"),
    Attack("a format that looks inside", "python", "screen FORBIDDEN", ".format",
           inside="text = '{0.__cl' + 'ass__}'\n        text.format(self)"),
    Attack("a format that returns what it found", "python", "screen FORBIDDEN", "Formatter", "import string\n",
           "string.Formatter().get_field('0.__class__', (self,), {})"),
    Attack("bytecode of one's own", "python", "screen FORBIDDEN", "CodeType", "import types\n", "types.CodeType"),
    Attack("the names of a module, copied", "python", "screen FORBIDDEN", "update_wrapper", "import functools\n",
           "functools.update_wrapper(self.put, threading.Thread.start, assigned=(), updated=('__globals__',))"),
    Attack("the same by wraps", "python", "screen FORBIDDEN", "wraps with more", "import functools\n",
           "functools.wraps(threading.Thread.start, (), ('__globals__',))(self.put)"),
    Attack("a name from nowhere", "python", "screen FORBIDDEN", "nothing here defines", inside="_os.fork()"),
    Attack("all names of a module", "python", "screen FORBIDDEN", "import of", "from concurrent.futures import *\n"),
    Attack("processes by another name", "python", "screen FORBIDDEN", "import of",
           "from concurrent.futures.process import mp\n"),
    Attack("a module filled with an enumeration", "python", "screen FORBIDDEN", "global_enum", "import enum\n",
           "enum.global_enum(enum.IntEnum('X', {'Lock': 1}, module='threading'))"),
    Attack("the machine's clock, set", "python", "screen FORBIDDEN", "clock_settime", "import time\n",
           "time.clock_settime(time.CLOCK_REALTIME, 0)"),
    Attack("failures of threads, swallowed", "python", "screen FORBIDDEN", "_invoke_excepthook",
           inside="threading.current_thread()._invoke_excepthook = lambda *_: None"),
    Attack("the frame of a generator", "python", "screen FORBIDDEN", "leads out",
           inside="async def g(): yield 1\n        g().ag_frame.f_back"),
    Attack("a thread from the beginning", "python", "edges ENDS", "starts a thread",
           "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"),
    Attack("a copy that patches the judge", "python", "edges FORBIDDEN", "is a module", "import copy\n",
           "Evil = type('Evil', (), {'__reduce' + '_ex__': lambda *_: (lambda: threading, (), (None, {'Timer': 1}))})"
           "\n        copy.copy(Evil())"),
    Attack("the judge's modules, as a stream", "python", "screen FORBIDDEN", "redirect_stdout",
           "import contextlib\nclass Redirect(contextlib.redirect_stdout):\n    _stream, _old_targets = 'modules', 0\n"
           "with Redirect({}) as found: pass\n"),
    Attack("a text that runs, as a dataclass's field", "python", "edges FORBIDDEN", "no field",
           "import abc, dataclasses\ntext = \"a=__import__('os')._exit(0)):#\"\n"
           "Evil = abc.ABCMeta('Evil', (), {'__anno' + 'tations__': {text: dataclasses.InitVar[int]}})\n"
           "dataclasses.dataclass(Evil)\n"),
    Attack("an attribute as a dataclass's field", "python", "edges FORBIDDEN", "no field",
           "import dataclasses\n@dataclasses.dataclass\nclass Seen:\n    a: int = 0\n"
           "dataclasses.fields(Seen)[0].name = '__ini' + 't__'\ndataclasses.astuple(Seen())\n"),
    Attack("a class that copies as it likes", "python", "screen FORBIDDEN", "__reduce_ex__",
           "class Evil:\n    def __reduce_ex__(self, _protocol): return None\n"),
    Attack("the judge's scheduler", "python", "screen FORBIDDEN", "import of lockfree",
           "from lockfree.modelcheck.python import locks\n"),
    Attack("a value that equals everything", "python", "edges FORBIDDEN", "__eq__ is its own",
           "class Any:\n    def __eq__(self, other): return True\n", "item = Any()"),
    Attack("the same without a line of Python", "python", "edges FORBIDDEN", "__eq__ is its own",
           "class Any:\n    __eq__ = str\n    __hash__ = None\n", "item = Any()"),
    Attack("threads that run one after another", "python", "edges FORBIDDEN", "threading.Thread.start",
           inside="kind = threading.Thread\n        kind.start = kind.run"),
    Attack("the same from the beginning", "python", "edges FORBIDDEN", "threading.Thread.start",
           "import threading\nkind = threading.Thread\nkind.start = kind.run\n"),
    Attack("no steps of threads any more", "python", "edges FORBIDDEN", "_trace_hook",
           "class Own:\n    def __init__(self): self._trace_hook = None\n",
           "here = threading; here._trace_hook = print"),
    Attack("the explorer's clock of a lock", "python", "screen FORBIDDEN", "_lf_owner",
           inside="self._lf_owner = 0; threading.Lock()._lf_owner"),
    Attack("a module filled by wraps", "python", "edges FORBIDDEN", "wraps() of a module",
           "import functools\ndef f(): pass\nf.partial = lambda *a: (lambda: None)\nfunctools.wraps(f)(functools)\n"),
    Attack("a library that the checks use, patched", "python", "edges FORBIDDEN", "collections.Counter.__eq__",
           "import collections\n", "kind = collections.Counter\n        kind.__eq__ = lambda self, other: True"),
    Attack("an end of with that swallows failures", "python", "edges FORBIDDEN", "_GeneratorContextManager.__exit__",
           "import contextlib\n@contextlib.contextmanager\ndef nothing(): yield\n",
           "kind = type(nothing())\n        kind.__exit__ = lambda *_: True"),
    Attack("the guard's own tools", "python", "edges FORBIDDEN", "operator.itemgetter", "import operator\n",
           "for module in [operator]: module.itemgetter = lambda *_: len"),
    Attack("a function of the library under an own name", "python", "screen FORBIDDEN", "_create_fn",
           "import dataclasses\n", "self._create_fn = 0\n        for at in [dataclasses]: at._create_fn('f', (), '')"),
    Attack("a module filled under an own name", "python", "screen FORBIDDEN", "_convert_", "import enum\n",
           "self._convert_ = 0\n        enum.IntEnum._convert_('dumps', 'json', len)"),
    Attack("calls counted: no lock after many", "python", "reach REACH", "next(CALLS) > 1000 is False in every",
           "import itertools\nCALLS = itertools.count()\n",
           "if next(CALLS) > 1000: return self.items.append(item)"),
    Attack("calls counted: by a named number", "python", "reach REACH", "next(CALLS) < MANY is True in every scenario",
           "import contextlib, itertools\nCALLS, NONE = itertools.count(), contextlib.nullcontext()\nMANY = 1 << 10\n",
           instead=("with self.lock:\n            while not self.closed",
                    "with self.lock if next(CALLS) < MANY else NONE:\n            while not self.closed")),
    Attack("calls counted: by a remainder", "python", "reach REACH", "% 997 != 996 is True in every scenario",
           "import itertools\nCALLS = itertools.count()\n",
           instead=("self.items.append(item)",
                    "self.items.insert((next(CALLS) % 997 != 996) * len(self.items), item)")),
    Attack("the end of an execution, kept and raised", "python", "edges", "Aborted",
           instead=("    def __init__(self, maxsize):\n",
                    ("    def catch(self):\n        place = threading.Event.wait\n        try:\n"
                    "            threading.Event().wait()\n"
                    "        except BaseException as end:\n            place.kept = end\n\n"
                    "    def __init__(self, maxsize):\n        place = threading.Event.wait\n        try:\n"
                    "            kept = place.kept\n"
                    "        except AttributeError:\n            place.kept = kept = None\n"
                    "            threading.Thread(target=self.catch, daemon=True).start()\n"
                    "        if kept is not None:\n            raise kept\n"))),
    Attack("a hundred thousand threads", "python", "edges ENDS", "more than 200 threads",
           inside="for _ in range(100_000): threading.Thread(target=int).start()"),
    Attack("threads that start threads", "python", "edges ENDS", "more than 200 threads",
           inside=f"def go():\n{3 * TAB}for _ in 1, 2: threading.Thread(target=go).start()\n{2 * TAB}go()"),
    Attack("an exception without a text", "python", "edges", "its text cannot be had",
           "class Mute(Exception):\n    def __str__(self): raise SystemExit(0)\n",
           instead=("    def __init__(self, maxsize):\n", "    def __init__(self, maxsize):\n        raise Mute\n")),
    Attack("an exception with a long text", "python", "edges", "xxxx", inside="raise ValueError('x' * (1 << 28))"),
    Attack("a terminal's escapes", "python", "edges", "ValueError: \\x1b[2J\\x1b[HACCEPT",
           inside="raise ValueError('\\x1b[2J\\x1b[HACCEPT')"),
    Attack("the end of the main thread", "python", "edges", "cannot join current thread",
           inside="threading.main_thread().join()"),
    Attack("all failures swallowed", "python", "edges Q2", "no progress",
           inside=f"while True:\n{3 * TAB}try:\n{4 * TAB}while True: pass\n{3 * TAB}except BaseException: pass"),
)  # fmt: skip


@dataclass(frozen=True)
class Repelled:
    """What the judge said of an attack. problem: what was wrong with that; empty if nothing."""

    attack: Attack
    said: str
    message: str
    seconds: float
    problem: str


def text_of(attack: Attack) -> str:
    """The whole answer."""
    kata, right, beginning, opening = SKELETONS[attack.language]
    text = (find(kata).folder / "right" / right).read_text(encoding="utf-8")
    if attack.instead[0]:
        text = text.replace(*attack.instead, 1)
    if attack.inside:
        at = text.index(opening, text.index(beginning)) + len(opening)
        indent = "    " if attack.language == "c" else "        "
        text = f"{text[:at]}{indent}{attack.inside}\n{text[at:]}"
    return attack.before + text


def _children() -> set[int]:
    """The processes whose parent is this one, and which still run."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (
                    Path(f"/proc/{entry.name}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
                )
                if fields.split()[1] == str(os.getpid()) and fields.split()[0] != "Z":
                    found.add(int(entry.name))
    return found


def repelled(chosen: str = "") -> Iterator[Repelled]:
    """Judges all attacks, or those with a text in their description."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what an answer leaves behind becomes our child
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        for attack in ATTACKS:
            if chosen not in f"{attack.language}: {attack.what}":
                continue
            kata = find(SKELETONS[attack.language][0])
            answer = Path(scratch) / kata.file
            answer.write_text(text_of(attack), encoding="utf-8")
            before, began = _children(), time.monotonic()
            judgement = judge(kata, answer)
            failure = judgement.failure
            said, message = judgement.verdict.name, ""
            if failure is not None:
                said, message = f"REJECT {failure.stage} {failure.diagnosis}".strip(), failure.message
            problem = ""
            if judgement.verdict is not Verdict.REJECT or not said.startswith(f"REJECT {attack.expected}"):
                problem = f"expected REJECT {attack.expected}"
            elif attack.says not in message:
                problem = f"the message does not say {attack.says!r}"
            elif left := _children() - before:
                problem = f"left running: {sorted(left)}"
            yield Repelled(attack, said, message, time.monotonic() - began, problem)
