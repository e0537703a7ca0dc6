"""What an answer may use. An answer that could reach the judge instead of what the kata asks is not run at all.

C: the object file's symbols are the truth, whatever the source looks like. Python: the syntax tree is; names that lead
out of the kata (`os`, `sys`, `__globals__`, `eval`) are refused wherever they stand.
"""

import ast
import contextlib
import functools
import importlib
import re
import subprocess
import sys
import tempfile
import types
from dataclasses import dataclass
from pathlib import Path

from lockfree._compiler import compiler
from lockfree.practice.c_orders import calls
from lockfree.practice.catalog import Kata

C_ALLOWED = frozenset(
    {
        "malloc",
        "calloc",
        "realloc",
        "free",
        "aligned_alloc",
        "posix_memalign",
        "memcpy",
        "memmove",
        "memset",
        "memcmp",
        "strlen",
        "strcmp",
        "strncmp",
        "__assert_fail",
        "abort",
        "sched_yield",
        "sysconf",
        "__stack_chk_fail",
        "__memcpy_chk",
        "__memset_chk",
        "_GLOBAL_OFFSET_TABLE_",
    }
)
C_PREFIXES = ("__atomic_", "atomic_", "__sync_", "__tsan_", "membarrier")
C_LOCKS = ("pthread_", "mtx_", "cnd_", "thrd_")
C_SECTIONS = (".init_array", ".fini_array", ".ctors", ".dtors", ".preinit_array", ".init", ".fini")
C_FLAGS = ("-std=c11", "-Wall", "-Wextra", "-O1", "-c")
ASSEMBLY = re.compile(r"\b(asm|__asm|__asm__)\b")
COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
PYTHON_COMMENTS = re.compile(r"#[^\n]*")
STRINGS = re.compile(r"\"(?:\\.|[^\"\\\n])*\"")
VARIABLE = re.compile(r"\bmemory_order\s+\w+\s*[=;,)]")
INCLUDE = re.compile(r"\s*#\s*include(_next)?\b\s*(.*)")
INCLUDED = re.compile(r"<[\w./]+>\s*|\"\w+\.h\"\s*")

PYTHON_MODULES = frozenset(
    {
        "__future__",
        "abc",
        "array",
        "asyncio",
        "bisect",
        "collections",
        "concurrent",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "functools",
        "heapq",
        "itertools",
        "math",
        "operator",
        "queue",
        "random",
        "string",
        "struct",
        "threading",
        "time",
        "types",
        "typing",
        "weakref",
        "zlib",
    }
)
PYTHON_NAMES = frozenset(
    {
        "eval",
        "exec",
        "compile",
        "open",
        "input",
        "breakpoint",
        "globals",
        "locals",
        "vars",
        "__import__",
        "__builtins__",
        "__loader__",
        "__spec__",
        "exit",
        "quit",
        "memoryview",
        "getattr",
        "setattr",
        "delattr",
    }
)
"""Names of builtins that lead out of the kata. `getattr` and its kin hide an attribute's name from this screen."""
PYTHON_ATTRIBUTES = frozenset(
    {
        "os",
        "sys",
        "gc",
        "io",
        "re",
        "ast",
        "dis",
        "inspect",
        "importlib",
        "builtins",
        "ctypes",
        "socket",
        "signal",
        "subprocess",
        "multiprocessing",
        "traceback",
        "linecache",
        "tracemalloc",
        "atexit",
        "pickle",
        "shelve",
        "tempfile",
        "shutil",
        "pathlib",
        "runpy",
        "code",
        "site",
        "warnings",
        "settrace",
        "setprofile",
        "settrace_all_threads",
        "setprofile_all_threads",
        "excepthook",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "open_connection",
        "start_server",
        "create_connection",
        "create_server",
        "sock_connect",
        "add_reader",
        "add_writer",
        "add_signal_handler",
        "gi_frame",
        "gi_code",
        "cr_frame",
        "cr_code",
        "f_globals",
        "f_locals",
        "f_back",
        "f_builtins",
        "tb_frame",
        "set_event_loop_policy",
        "ProcessPoolExecutor",
    }
)
SPECIAL = frozenset(
    {
        "__init__",
        "__enter__",
        "__exit__",
        "__aenter__",
        "__aexit__",
        "__len__",
        "__iter__",
        "__next__",
        "__aiter__",
        "__anext__",
        "__contains__",
        "__getitem__",
        "__setitem__",
        "__delitem__",
        "__repr__",
        "__str__",
        "__bool__",
        "__eq__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__ne__",
        "__hash__",
        "__call__",
        "__post_init__",
        "__slots__",
        "__await__",
        "__name__",
        "__doc__",
        "__future__",
        "__all__",
        "__add__",
        "__sub__",
        "__new__",
        "__init_subclass__",
        "__class_getitem__",
        "__missing__",
        "__reversed__",
    }
)
"""Special names that an answer may have."""


@dataclass(frozen=True)
class Fault:
    """Why an answer is not run: one line with the place. forbidden: it uses what it must not; else it is unfinished.
    more: what a compiler said besides.
    """

    text: str
    forbidden: bool = True
    more: str = ""

    def __str__(self) -> str:
        return self.text


def screen(kata: Kata, answer: Path) -> list[Fault]:
    """What is wrong with an answer before it runs. Empty: it may run. OSError if it cannot be read."""
    return _python(kata, answer) if kata.language == "python" else _c(kata, answer)


def _python(kata: Kata, answer: Path) -> list[Fault]:
    source = answer.read_text(encoding="utf-8", errors="replace")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [Fault(f"{answer.name}: {type(error).__name__}: {error}", forbidden=False)]
    allowed = PYTHON_MODULES | set(kata.allowed)
    found, own, imports = [], _own_names(tree), _import_names(tree)
    for node in ast.walk(tree):
        at = f"{answer.name}:{getattr(node, 'lineno', 1)}"
        for name in _imported(node):
            if name.split(".")[0] not in allowed or {part.strip("_") for part in name.split(".")} & PYTHON_ATTRIBUTES:
                found.append(Fault(f"{at}: import of {name}, which this kata has no use for"))  # noqa: PERF401
        if changed := _changed_import(node, imports):
            found.append(Fault(f"{at}: changes {changed}, which is not its own"))
        if isinstance(node, ast.Name) and (node.id in PYTHON_NAMES or _is_special(node.id)):
            found.append(Fault(f"{at}: {node.id}, which leads out of the kata"))
        if isinstance(node, ast.Attribute) and (_leads_out(node.attr, own) or node.attr in _other_modules()):
            found.append(Fault(f"{at}: .{node.attr}, which leads out of the kata"))
    if found:
        return found
    classes = {
        node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    missing = [name for name in kata.interface if name not in classes]
    return [Fault(f"{answer.name}: {', '.join(missing)} must be there, and is not", forbidden=False)] if missing else []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module or '.'}.{alias.name}" for alias in node.names]
    return []


def _import_names(tree: ast.AST) -> set[str]:
    """The names that imports make."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }  # fmt: skip


def _changed_import(node: ast.AST, imports: set[str]) -> str:
    """The attribute of an import that a statement changes, such as `threading.Lock`; empty if it changes none."""
    if not isinstance(node, ast.Attribute | ast.Subscript) or isinstance(node.ctx, ast.Load):
        return ""
    root: ast.expr = node
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    return ast.unparse(node) if isinstance(root, ast.Name) and root.id in imports else ""


@functools.cache
def _other_modules() -> frozenset[str]:
    """The names under which allowed modules know modules that are not allowed, such as `enum.bltns`."""
    for name in PYTHON_MODULES - {"__future__"}:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    return frozenset(
        attribute
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in PYTHON_MODULES
        for attribute, value in list(vars(module).items())
        if isinstance(value, types.ModuleType) and value.__name__.partition(".")[0] not in PYTHON_MODULES
    )


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in SPECIAL


def _leads_out(name: str, own: set[str]) -> bool:
    """Whether an attribute of this name is no business of the kata. own: private names that the answer makes."""
    if name.strip("_") in PYTHON_ATTRIBUTES or _is_special(name):
        return True
    return name.startswith("_") and name not in own and not _is_special(name) and name not in SPECIAL


def _own_names(tree: ast.AST) -> set[str]:
    """The private attributes, methods and functions that the answer makes itself."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout


def _c(kata: Kata, answer: Path) -> list[Fault]:
    text = COMMENTS.sub(" ", answer.read_text(encoding="utf-8", errors="replace"))
    if ASSEMBLY.search(STRINGS.sub(" ", text)):
        return [Fault(f"{answer.name}: inline assembly; use <stdatomic.h>")]
    if VARIABLE.search(text) or any("?" in call for call in calls(text) if "memory_order" in call):
        return [Fault(f"{answer.name}: a memory order that is no constant; write it in the call")]
    for line in text.splitlines():
        include = INCLUDE.match(line)
        if include and (include[1] or ".." in line or not INCLUDED.fullmatch(include[2])):
            return [Fault(f"{answer.name}: {line.strip()}: a file of somebody else")]
    with tempfile.TemporaryDirectory(prefix="lockfree-practice-") as scratch:
        made = Path(scratch) / "answer.o"
        command = [*compiler(), *C_FLAGS, f"-I{kata.folder / 'include'}", str(answer), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            said = relative(done.stderr, kata, answer)
            first = next((line for line in said.splitlines() if "error" in line), "it does not compile")
            return [Fault(first, forbidden=False, more=said)]
        return _symbols(kata, answer, made)


def relative(text: str, kata: Kata, answer: Path) -> str:
    """What a compiler or a program said, with the files named as the learner knows them."""
    for folder in (answer.parent, kata.folder / "include", kata.folder):
        for path in (folder, folder.resolve()):
            text = text.replace(f"{path}/", "")
    return text


def _symbols(kata: Kata, answer: Path, made: Path) -> list[Fault]:
    found = []
    defined = set()
    prefixes = C_PREFIXES + C_LOCKS if kata.locks else C_PREFIXES
    for line in _run("nm", "-P", str(made)).splitlines():
        name, kind = line.split()[:2]
        if kind in "Uwv":
            if name not in C_ALLOWED and name not in kata.allowed and not name.startswith(prefixes):
                found.append(Fault(f"{answer.name}: uses {name}, which this kata does not allow"))
        elif kind.isupper():
            defined.add(name)
    others = sorted(defined - set(kata.interface))
    if others:
        found.append(Fault(f"{answer.name}: {', '.join(others)}: besides the interface everything must be static"))
    missing = sorted(set(kata.interface) - defined)
    if missing:
        found.append(Fault(f"{answer.name}: {', '.join(missing)} must be there, and is not", forbidden=False))
    sections = _run("objdump", "-h", str(made))
    if any(f" {section} " in sections or f" {section}." in sections for section in C_SECTIONS):
        found.append(Fault(f"{answer.name}: code that runs before main"))
    return found


def is_starter(kata: Kata, answer: Path) -> bool:
    """Whether the answer is the starter, apart from comments and white space. OSError if it cannot be read."""
    comments = PYTHON_COMMENTS if kata.language == "python" else COMMENTS
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in (answer, kata.starter)]
    mine, given = ("".join(comments.sub(" ", text).split()) for text in texts)
    return mine == given
