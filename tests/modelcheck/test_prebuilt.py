"""The runtime's object that travels with the package: taken where it fits, and built where it does not."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from compilers import NEEDS_C, path_with_usual_names

# the function of this name hides the module
build = importlib.import_module("lockfree.modelcheck.build")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """The folder of the package's object; nothing is compiled, and nothing is in the cache."""
    monkeypatch.setattr(build, "_shipped", lambda: tmp_path / "shipped")
    monkeypatch.setattr(build, "_cache", lambda: tmp_path)
    monkeypatch.setattr(build, "_compile_runtime", lambda _cc, _sources, target: target.write_text("built"))
    monkeypatch.setattr(build, "_is_gcc", lambda _cc: True)
    monkeypatch.setattr(build, "_leaves_nothing", lambda _cc: ())
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", path_with_usual_names(tmp_path / "bin"))
    monkeypatch.delenv("CC", raising=False)
    (tmp_path / "shipped").mkdir()
    return tmp_path / "shipped"


@NEEDS_C
def test_the_object_of_the_package_is_taken(shipped):
    made = build.build_object(shipped)
    assert build.runtime_object() == made


@NEEDS_C
def test_an_object_of_other_sources_or_another_compiler_is_not(shipped, monkeypatch):
    made = build.build_object(shipped)
    monkeypatch.setenv("CC", "cc -m64")
    assert build.runtime_object().parent != shipped
    monkeypatch.delenv("CC")
    assert build.runtime_object(build.THREADS * 2).parent != shipped
    monkeypatch.setattr(build, "_is_gcc", lambda _cc: False)
    assert build.runtime_object().parent != shipped
    with pytest.raises(build.BuildError):
        build.build_object(shipped)
    monkeypatch.setattr(build, "_is_gcc", lambda _cc: True)
    monkeypatch.setattr(build, "RUNTIME_FLAGS", (*build.RUNTIME_FLAGS, "-DOTHER"))
    assert build.runtime_object().parent != shipped
    assert made.exists()


def test_a_package_can_be_built_without_it(tmp_path):
    script = Path(build.__file__).with_name("prebuilt.py")
    done = subprocess.run(
        [sys.executable, "-S", str(script), str(tmp_path / "object")],
        env={"CC": "no-such-compiler"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "is not compiled now, but by the first check that needs it" in done.stdout
    assert list((tmp_path / "object").iterdir()) == []
