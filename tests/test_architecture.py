"""The house rules that can be read off the sources: who may include and import whom, and what a primitive consists of."""

import ast
import graphlib
import platform
import re
import shutil
import subprocess
from pathlib import Path

import compilers
import pytest

ROOT = Path(__file__).parent.parent
PUBLIC = ROOT / "c/include/lockfree"
HEADERS = {p.stem: p.read_text() for p in PUBLIC.rglob("*.h")}
PRIMITIVES = sorted(p.stem for p in PUBLIC.glob("*.h") if p.stem != "lockfree")
BLOCKS = sorted(p.stem for p in (PUBLIC / "blocks").glob("*.h"))


def includes(text):
    return re.findall(r'^#include [<"](?:lockfree/)?(?:blocks/)?([a-z_]+)\.h[">]', text, re.MULTILINE)


def own_includes(name):
    return [other for other in includes(HEADERS[name]) if other in HEADERS]


def code_of(text):
    """The header without its comments, where names may be mentioned freely."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def test_there_are_primitives():
    assert {"atomic", "mpmc_ring", "spsc_ring", "priority_queue", "mutex", "spinlock", "semaphore"} <= set(PRIMITIVES)


def test_the_headers_beside_the_umbrella_are_primitives_and_the_others_are_not():
    assert {p.stem for p in PUBLIC.iterdir()} == {*PRIMITIVES, "lockfree", "blocks"}
    for name, text in HEADERS.items():
        assert bool(re.search(r"^#define LF_KIND_", text, re.MULTILINE)) == (name in PRIMITIVES), name


def test_each_kind_of_segment_has_a_number_of_its_own():
    kinds = [
        number for text in HEADERS.values() for number in re.findall(r"^#define LF_KIND_\w+ (\d+)u", text, re.MULTILINE)
    ]
    assert len(set(kinds)) == len(kinds) == len(PRIMITIVES), sorted(kinds, key=int)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_headers_do_not_include_in_circles(name):
    seen, open_ = set(), [name]
    while open_:
        for other in own_includes(open_.pop()):
            assert other != name, f"{name}.h includes itself through {seen}"
            if other not in seen:
                seen.add(other)
                open_.append(other)


@pytest.mark.parametrize("name", sorted(set(HEADERS) - {"lockfree", "space"}))
def test_only_the_umbrella_includes_primitives(name):
    """And space.h, which recovers each of its objects by that one's own kind."""
    assert not set(own_includes(name)) & set(PRIMITIVES)


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_know_no_primitive(name):
    assert not set(own_includes(name)) & set(PRIMITIVES)


def test_the_umbrella_includes_every_primitive():
    assert set(PRIMITIVES) <= set(own_includes("lockfree"))


LAYERS = [
    "base",
    "atomics",
    "wait",
    "process",
    "memory_limit",
    "segment",
    "spinning",
    "segment_file",
    "asymmetric",
    "participants",
    "reaping",
    "peers",
    "attach",
    "blocking",
]


def test_the_layers_point_one_way():
    for position, name in enumerate(LAYERS):
        above = set(HEADERS) - set(LAYERS[:position])
        assert not set(own_includes(name)) & above, name


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (r"\b__atomic_\w+\(|\b__sync_\w+\(|stdatomic", {"atomics"}),
        (r"SYS_futex|__builtin_ia32_pause|\blinux/futex", {"wait"}),
        (
            r"\bmmap\(|\bmemfd_create\(|\bfcntl\(|\bftruncate\(",
            {"process", "segment_file", "participants", "arena_map"},
        ),
        (r"\b(malloc|calloc|realloc|free|printf|fprintf|abort|exit)\(", set()),
        (r"\b_Atomic\b|\bvolatile\b", {"wait"}),
    ],
    ids=["atomics", "futex and pause", "files and mappings", "no allocation, output or abort", "no _Atomic in layouts"],
)
def test_one_door_for_each_thing(pattern, allowed):
    found = {name for name, text in HEADERS.items() if re.search(pattern, code_of(text))}
    assert found <= allowed


@pytest.mark.parametrize("folder", ["linearize", "model", "machine"])
def test_the_instruments_know_no_primitive(folder):
    for path in (ROOT / "c" / folder).rglob("*.[ch]"):
        used = re.findall(r"^#include [<\"](lockfree/\S+)[>\"]", path.read_text(), re.MULTILINE)
        assert all(folder == "machine" and name.startswith("lockfree/blocks/") for name in used), path


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_headers_are_short(name):
    assert HEADERS[name].count("\n") <= 400, f"{name}.h has grown a second purpose: split it"


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_header_begins_with_its_contract(name):
    opening = HEADERS[name].split("*/")[0].lower()
    for word in ("contract", "progress", "death", "layout"):
        assert word in opening, f"{name}.h says nothing of its {word}"


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_primitive_is_complete(name):
    siblings = [
        f"c/tests/test_{name}.c",
        f"src/lockfree/_native/{name}/core.cdef.h",
        f"src/lockfree/{name}.py",
        f"tests/test_{name}.py",
        f"stress/test_{name}.py",
        f"benchmarks/bench_{name}.py",
        f"docs/primitives/{name}.md",
    ]
    missing = [sibling for sibling in siblings if not (ROOT / sibling).exists()]
    assert not missing


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


SOURCES = sorted((ROOT / "src/lockfree").rglob("*.py"))
TOOLS = ("linearizability", "stress", "modelcheck", "practice", "machine", "bench")


def part_of(path):
    relative = path.relative_to(ROOT / "src/lockfree").parts
    return relative[0] if relative[0] in TOOLS else relative[0].removesuffix(".py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_imports_point_one_way(path):
    part, used = part_of(path), set(imports_of(path))
    if part == "__main__":
        return
    forbidden = {
        "machine": ["linearizability", "stress", "modelcheck", "practice", "bench"],
        "bench": ["linearizability", "stress", "modelcheck", "practice"],
        "linearizability": ["stress", "modelcheck", "practice", "machine", "bench"],
        "modelcheck": ["stress", "practice", "machine", "bench"],
        "stress": ["practice", "bench"],
        "practice": ["bench"],
    }.get(part, TOOLS)
    for tool in forbidden:
        assert not any(name.startswith(f"lockfree.{tool}") for name in used), f"{path} imports lockfree.{tool}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_only_native_imports_extensions(path):
    used = {name for name in imports_of(path) if re.match(r"lockfree\._native\._[a-z]+", name)}
    assert not used or part_of(path) == "_native"


def needs(folder, scratch):
    """Which files of a folder each of its C files calls, or takes an object of. Each is compiled by itself."""
    if shutil.which("nm") is None:
        pytest.skip("no nm, which names what is in an object file")
    sources = sorted(folder.resolve().rglob("*.c"))
    flags = ["-std=gnu11", "-w", "-Werror=implicit-function-declaration", f"-I{ROOT / 'c'}", f"-I{PUBLIC.parent}"]
    subprocess.run([*compilers.needed("c"), "-c", *flags, *map(str, sources)], cwd=scratch, check=True)
    homes, wanted = {}, {}
    for source in sources:
        listed = subprocess.run(["nm", f"{source.stem}.o"], cwd=scratch, capture_output=True, text=True, check=True)
        wanted[source.stem] = set()
        for *_, kind, symbol in map(str.split, listed.stdout.splitlines()):
            if kind == "U":
                wanted[source.stem].add(symbol)
            elif kind in "TDBRC":
                homes.setdefault(symbol, set()).add(source.stem)
    return {
        file: {home for symbol in symbols for home in homes.get(symbol, ())} - {file}
        for file, symbols in wanted.items()
    }


@pytest.mark.parametrize("folder", ["linearize", "kill", "model"])
def test_c_files_do_not_need_each_other_in_circles(folder, tmp_path):
    if folder == "kill" and platform.machine() != "x86_64":
        pytest.skip("c/kill is for x86-64 only")
    edges = needs(ROOT / "c" / folder, tmp_path)
    assert sum(map(len, edges.values())) > len(edges), "the files call each other less than once each: who is blind?"
    graphlib.TopologicalSorter(edges).prepare()


def test_a_circle_is_seen(tmp_path):
    (tmp_path / "one.c").write_text("int two(void); int one(void) { return two(); }")
    (tmp_path / "two.c").write_text("int three; int one(void); int two(void) { return one() + three; }")
    with pytest.raises(graphlib.CycleError) as circle:
        graphlib.TopologicalSorter(needs(tmp_path, tmp_path)).prepare()
    assert set(circle.value.args[1]) == {"one", "two"}


MODEL_LAYERS = ["base", "events", "memory", "choices", "steps", "objects", "front", "runs"]
FOR_CLIENTS = ["lockfree_model.h", "seam.h", "genmc.h", "dat3m.h", "stdatomic.h", "strings.hpp"]


def layers_included(path):
    """Layers of c/model that a file includes headers of."""
    for name in re.findall(r'^#include "(.*)"$', path.read_text(), re.MULTILINE):
        header = (path.parent / name).resolve()
        assert header.exists(), f"{path} includes {name}, which is not there"
        if header.name not in FOR_CLIENTS:
            yield header.parent.name


def test_the_layers_of_the_model_checker_are_its_folders():
    beside = {path.name for path in (ROOT / "c/model").iterdir()}
    assert beside == {*MODEL_LAYERS, *FOR_CLIENTS}, "what clients can include is a header for clients"
    picture = re.findall(r"^   ([a-z]+)/ +[^│\n]*$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert [name for name in picture if name in beside] == MODEL_LAYERS[::-1], "ARCHITECTURE.md shows other layers"


@pytest.mark.parametrize("layer", MODEL_LAYERS)
def test_a_file_of_the_model_checker_knows_its_own_layer_and_lower_ones(layer):
    below = MODEL_LAYERS[: MODEL_LAYERS.index(layer) + 1]
    for path in (ROOT / "c/model" / layer).glob("*.[ch]"):
        assert set(layers_included(path)) <= set(below), path
        assert path.read_text().count("\n") <= 400, f"{path} has grown a second purpose: split it"


def test_a_file_of_the_interface_has_one_purpose():
    files = sorted((ROOT / "src/lockfree/_native").rglob("*.[ch]"))
    assert len(files) > 100
    long = [str(path.relative_to(ROOT)) for path in files if path.read_text().count("\n") > 400]
    assert long == [], "they have grown a second purpose: split them"


def test_a_look_upwards_is_seen(tmp_path):
    for layer in ("base", "runs"):
        (tmp_path / layer).mkdir()
        (tmp_path / layer / f"{layer}.h").touch()
    (tmp_path / "base/say.c").write_text('#include "base.h"\n#include "../runs/runs.h"\n')
    assert set(layers_included(tmp_path / "base/say.c")) == {"base", "runs"}


BY_NAME = re.compile(r"""which\(\s*["'](cc|gcc|clang|c\+\+|g\+\+|clang\+\+)["']""")


def test_no_test_asks_for_a_compiler_by_its_name():
    """Where $CC alone names one, such a test would be skipped: compilers.py knows which one it is."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        assert not BY_NAME.search(path.read_text()), path
    assert BY_NAME.search("which({})".format('"cc"'))


def jumps_back(text):
    """The loops with a condition around `unbroken[...]`: Python 3.14 serves signals where they jump back to it."""
    loops = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.While)]
    return [
        loop.lineno
        for loop in loops
        if not isinstance(loop.test, ast.Constant)
        and any(isinstance(node, ast.Name) and node.id == "unbroken" for node in ast.walk(loop))
    ]


def test_no_jump_back_follows_an_unbroken_call():
    for path in sorted((ROOT / "src" / "lockfree").glob("*.py")):
        assert jumps_back(path.read_text()) == [], path
    assert jumps_back("while made in AGAIN:\n    made = unbroken[call, 1]\n") == [1]


ONE_ARGUMENT = re.compile(r'PyObject_Call(?:Method|Function)\((?:[^;"]*"\w+",)? *[^;"]*"O"')


def test_no_call_takes_a_tuple_apart():
    """With the format "O", a tuple that is the one argument becomes all arguments. "(O)" passes it on."""
    for path in sorted((ROOT / "src/lockfree/_native").rglob("*.[ch]")):
        assert not ONE_ARGUMENT.search(path.read_text()), path
    assert ONE_ARGUMENT.search('PyObject_CallMethod(object, "_pack", "O", messages)')
    assert ONE_ARGUMENT.search('PyObject_CallFunction(call, "O", messages)')
