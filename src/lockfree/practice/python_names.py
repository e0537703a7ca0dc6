"""What an answer in Python may name, read from its syntax tree.

Attributes can be reached without a dot, too: by a pattern of `match`, by a text (`operator.attrgetter`, a format with
`{0.x}`), by an annotation that is evaluated, by functions that copy attributes or fill a module. These are refused.
"""

import ast
import builtins
import contextlib
import functools
import importlib
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass

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
        "help",
        "license",
        "credits",
        "copyright",
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
        "ag_frame",
        "ag_code",
        "f_code",
        "f_trace",
        "f_lineno",
        "get_stack",
        "f_generator",
        "get_type_hints",
        "evaluate_forward_ref",
        "ForwardRef",
        "singledispatch",
        "singledispatchmethod",
        "update_wrapper",
        "CodeType",
        "FunctionType",
        "LambdaType",
        "attrgetter",
        "methodcaller",
        "Formatter",
        "format_map",
        "global_enum",
        "make_dataclass",
        "clock_settime",
        "clock_settime_ns",
        "chdir",
        "subprocess_exec",
        "subprocess_shell",
        "open_unix_connection",
        "start_unix_server",
        "create_unix_connection",
        "create_unix_server",
        "create_datagram_endpoint",
        "connect_accepted_socket",
        "connect_read_pipe",
        "connect_write_pipe",
        "invoke_excepthook",
        "bootstrap",
        "bootstrap_inner",
        "process",
        "redirect_stdout",
        "redirect_stderr",
        "RedirectStream",
        "new_class",
        "prepare_class",
        "getattr",
        "setattr",
        "delattr",
        "eval",
        "exec",
        "globals",
        "locals",
        "vars",
    }
)
"""Attributes that lead out of the kata, without the underscores around them."""
OF_THE_EXPLORER = "_lf_"
"""So begin the names of what the explorer's locks have, and real ones do not."""
PACKAGES = frozenset({"collections.abc", "concurrent.futures", "concurrent.futures.thread"})
"""Modules within a package that an answer may import by their own name; of asyncio all but those of other modules."""
OF_ENUM = re.compile(r"_[a-z][a-z_]*[a-z]_")
"""Such names have the functions of `enum` that fill modules."""
FIELD = re.compile(r"\{[^{}]*[.\[]")
"""In a format: a field that looks inside of what it is given."""
PLAIN = frozenset({"bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"})
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


MUST_NOT_DEFINE = frozenset(
    {
        "__reduce__",
        "__reduce_ex__",
        "__getstate__",
        "__setstate__",
        "__prepare__",
        "__instancecheck__",
        "__getattribute__",
        "__set_name__",
        "__mro_entries__",
        "__class__",
        "__del__",
    }
)
"""Methods that the interpreter or the library calls where the judge does not look."""


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module or '.'}.{alias.name}" for alias in node.names]
    return []


def import_names(tree: ast.AST) -> set[str]:
    """The names that imports make."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }  # fmt: skip


def changed_import(node: ast.AST, imports: set[str]) -> str:
    """The attribute of an import that a statement changes, such as `threading.Lock`; empty if it changes none."""
    if not isinstance(node, ast.Attribute | ast.Subscript) or isinstance(node.ctx, ast.Load):
        return ""
    root: ast.expr = node
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    return ast.unparse(node) if isinstance(root, ast.Name) and root.id in imports else ""


@functools.cache
def other_modules() -> frozenset[str]:
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


@functools.cache
def of_the_library() -> frozenset[str]:
    """Private functions that make text run, or fill modules and classes, such as `dataclasses._create_fn`."""
    makers = map(importlib.import_module, ("contextlib", "copy", "dataclasses", "enum", "types", "typing"))
    there = (pair for module in makers for pair in vars(module).items())
    return frozenset(name for name, value in there if name[:1] == "_" and callable(value))


def is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in SPECIAL


def leads_out(name: str, own: set[str]) -> bool:
    """Whether an attribute of this name is no business of the kata. own: private names that the answer makes."""
    if name.strip("_") in PYTHON_ATTRIBUTES or is_special(name) or name.startswith(OF_THE_EXPLORER):
        return True
    if name in of_the_library() or OF_ENUM.fullmatch(name):
        return True
    return name.startswith("_") and name not in own and not is_special(name) and name not in SPECIAL


def own_names(tree: ast.AST) -> set[str]:
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


def defined(tree: ast.AST) -> set[str]:
    """All names that the answer makes itself, anywhere, and the builtins."""
    names = set(dir(builtins)) | import_names(tree) | {"__name__", "__file__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
        elif type(node).__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple"}:  # from Python 3.12 on
            names.add(str(getattr(node, "name", "")))
    return names


@dataclass(frozen=True)
class _Names:
    """own: private attributes that the answer makes; known: names that something defines; wraps: calls that are plain.

    classes: those whose patterns by position are plain, too.
    """

    allowed: frozenset[str]
    own: set[str]
    imports: set[str]
    known: set[str]
    classes: set[str]
    wraps: set[int]


def refused(tree: ast.AST, allowed: frozenset[str]) -> Iterator[tuple[int, str]]:
    """What the answer must not do: the line, and what it is in words."""
    plain = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and not n.bases and not n.keywords}
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)} | import_names(tree)
    names = _Names(
        allowed, own_names(tree), import_names(tree), defined(tree), (plain | PLAIN) - bound,
        {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_short(node)},
    )  # fmt: skip
    for node in ast.walk(tree):
        for text in _of_node(node, names):
            yield getattr(node, "lineno", 1), text


def _of_node(node: ast.AST, names: _Names) -> Iterator[str]:
    for name in imported(node):
        if not _may_import(node, name, names.allowed):
            yield f"import of {name}, which this kata has no use for"
    if changed := changed_import(node, names.imports):
        yield f"changes {changed}, which is not its own"
    if isinstance(node, ast.Name):
        if node.id in PYTHON_NAMES or is_special(node.id):
            yield f"{node.id}, which leads out of the kata"
        elif node.id not in names.known:
            yield f"{node.id}, which nothing here defines"
        elif node.id == "wraps" and id(node) not in names.wraps and "wraps" in names.imports:
            yield "wraps with more than one argument, which copies any attribute"
    if isinstance(node, ast.Attribute):
        if leads_out(node.attr, names.own) or node.attr in other_modules():
            yield f".{node.attr}, which leads out of the kata"
        elif node.attr == "wraps" and id(node) not in names.wraps:
            yield ".wraps with more than one argument, which copies any attribute"
        elif node.attr == "format" and not _is_plain_format(node.value):
            yield ".format of a text that may look inside of what it is given; use an f-string"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in MUST_NOT_DEFINE:
        yield f"{node.name}, which leads out of the kata"
    if isinstance(node, ast.MatchClass):
        for name in node.kwd_attrs:
            if leads_out(name, names.own) or name in other_modules():
                yield f"{name}=, which leads out of the kata"
        if node.patterns and not (isinstance(node.cls, ast.Name) and node.cls.id in names.classes):
            yield "a pattern by position of a class that is not plain and its own"


def _may_import(node: ast.AST, name: str, allowed: frozenset[str]) -> bool:
    parts = name.split(".")
    if parts[0] not in allowed or parts[-1] == "*" or {part.strip("_") for part in parts} & PYTHON_ATTRIBUTES:
        return False
    if isinstance(node, ast.ImportFrom):
        if node.level or parts[-1] in other_modules():
            return False
        module = node.module or ""
    else:
        module = name
    return "." not in module or module in PACKAGES or parts[0] == "asyncio"


def _is_short(call: ast.Call) -> bool:
    return len(call.args) == 1 and not call.keywords and not isinstance(call.args[0], ast.Starred)


def _is_plain_format(text: ast.expr) -> bool:
    """Whether this is a text with fields that show what they are given, and nothing inside of it."""
    return isinstance(text, ast.Constant) and isinstance(text.value, str) and FIELD.search(text.value) is None
