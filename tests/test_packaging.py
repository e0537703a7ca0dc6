"""A wheel built from a source distribution is complete: primitives, instruments, headers, command."""

import subprocess
import sys
import zipfile
from pathlib import Path

import compilers
import pytest
from patience import STUCK

ROOT = Path(__file__).parent.parent


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("scikit_build_core", reason="the build backend is not in this environment")
    tmp = tmp_path_factory.mktemp("packaging")
    make = "from scikit_build_core.build import build_sdist; import sys; build_sdist(sys.argv[1])"
    run(sys.executable, "-c", make, str(tmp / "sdist"), cwd=ROOT)
    (sdist,) = (tmp / "sdist").glob("*.tar.gz")
    fast = "--config-settings=cmake.build-type=Debug"  # what is in it is the same, and it is compiled in a third of the time
    how = ["-q", "--no-deps", "--no-build-isolation", fast]
    run(sys.executable, "-m", "pip", "wheel", *how, "-w", str(tmp), str(sdist), cwd=tmp)
    (built,) = tmp.glob("*.whl")
    return built


def test_it_has_everything(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "c/include").rglob("*.h"):
        assert f"lockfree/include/{path.relative_to(ROOT / 'c/include')}" in names
    for path in (ROOT / "src/lockfree").rglob("*.py"):
        relative = path.relative_to(ROOT / "src")
        assert str(relative) in names or relative.name == "build.py"
    assert "lockfree/py.typed" in names
    assert any(name.endswith("entry_points.txt") for name in names)


def test_it_needs_cffi_alone(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = next(archive.read(name).decode() for name in archive.namelist() if name.endswith("METADATA"))
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert required == ["Requires-Dist: cffi>=1.16"]


def test_it_works_from_an_empty_directory(wheel, tmp_path):
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import lockfree; assert lockfree.__file__.startswith(sys.argv[1]);"
        "r = lockfree.MPMCRing(2, 8); r.put(b'x'); assert r.get() == b'x'; print(lockfree.get_include())"
    )
    # -S keeps the editable install of this checkout out; cffi comes by its own path.
    import cffi

    site = str(Path(cffi.__file__).parent.parent)
    code = f"import sys; sys.path.append({site!r}); " + code
    printed = run(sys.executable, "-S", "-c", code, str(target), cwd=tmp_path).strip()
    assert Path(printed, "lockfree/mpmc_ring.h").exists()
    compiler = compilers.needed("c")
    (tmp_path / "a.c").write_text("#include <lockfree/lockfree.h>\nint main(void) { return 0; }\n")
    run(*compiler, "-std=c11", "-I", printed, "a.c", "-o", "a", cwd=tmp_path)
