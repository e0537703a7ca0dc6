"""The shipped examples, run as a user runs them: unrelated programs in Python, C and C++ on the same rings."""

import importlib
import itertools
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import compilers
import numpy as np
import pytest
from patience import STUCK

import lockfree

HERE = Path(__file__).parent.parent / "examples" / "attach"
STANDARD = {"c": "-std=c11", "cpp": "-std=c++17"}


def build(language, tmp_path):
    out = tmp_path / f"worker-{language}"
    options = [STANDARD[language], "-O2", *compilers.WARNINGS, "-I", lockfree.get_include()]
    source = str(HERE / f"worker.{language}")
    subprocess.run([*compilers.needed(language), *options, source, "-o", str(out), "-lpthread"], check=True)
    return out


@pytest.mark.parametrize("languages", [["c"], ["cpp"], ["c", "cpp"]], ids="+".join)
def test_programs_started_separately_work_on_the_same_rings(languages, tmp_path, shm_name):
    workers = [build(language, tmp_path) for language in languages]
    names = [f"{shm_name}-req", f"{shm_name}-ans"]
    words = [f"word{i}" for i in range(100)]
    front = subprocess.Popen(
        [sys.executable, str(HERE / "frontend.py"), *names, str(len(workers)), *words],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert front.stdout.readline() == "ready\n"
    running = [subprocess.Popen([str(worker), *names]) for worker in workers]
    answers = front.stdout.read().split()
    assert front.wait(30) == 0
    assert [process.wait(30) for process in running] == [0] * len(workers)
    assert sorted(answers) == sorted(word.upper() for word in words)
    if len(workers) == 1:
        assert answers == [word.upper() for word in words]


def test_a_worker_that_finds_no_ring_says_so(tmp_path):
    worker = build("c", tmp_path)
    done = subprocess.run([str(worker), "no-such-ring", "nor-this"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "no-such-ring: status -17: No such file or directory" in done.stderr


@pytest.mark.parametrize("processes", [1, 3])
def test_all_reduce_is_the_direct_sum(processes):
    main = HERE.parent / "all_reduce" / "main.py"
    words = [f"--processes={processes}", "--elements=50021", "--rounds=2"]
    done = subprocess.run([sys.executable, str(main), *words], capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{processes} processes, 50,021 floats each: equal to the direct sum" in done.stdout


@pytest.mark.parametrize("dtype", ["i1", "i8", "f2", ">f4", "f8", "F", "D"])
def test_all_reduce_of_any_numbers(dtype, monkeypatch):
    monkeypatch.syspath_prepend(HERE.parent / "all_reduce")
    ring = importlib.import_module("ring")
    for world, elements in itertools.product((1, 3), (0, 1, 2, 333)):
        rings = ring.make_rings(world, chunk=256, capacity=2)
        arrays = [(np.arange(elements) % 7 + rank).astype(dtype) for rank in range(world)]
        expected = sum(arrays[1:], arrays[0].copy())
        with ThreadPoolExecutor(world) as pool:
            reducers = [ring.Reducer(rank, rings) for rank in range(world)]
            list(pool.map(ring.Reducer.all_reduce, reducers, arrays))
        assert all(np.array_equal(array, expected) for array in arrays), (world, elements)


def test_all_reduce_refuses_what_it_cannot_add(monkeypatch):
    monkeypatch.syspath_prepend(HERE.parent / "all_reduce")
    ring = importlib.import_module("ring")
    reducer, fixed = ring.Reducer(0, ring.make_rings(2)), np.zeros(4)
    fixed.flags.writeable = False
    for array, error in (
        (fixed, ValueError), (np.zeros(4)[::2], ValueError), (np.array(["a"]), TypeError), (np.zeros(2, bool), TypeError),
    ):  # fmt: skip
        with pytest.raises(error):
            reducer.all_reduce(array)


def test_a_wrong_all_reduce_is_found(tmp_path):
    shutil.copytree(HERE.parent / "all_reduce", tmp_path, dirs_exist_ok=True)
    ring = (tmp_path / "ring.py").read_text()
    assert "piece += came" in ring
    (tmp_path / "ring.py").write_text(ring.replace("piece += came", "piece[:] = came"))
    words = ["--processes=2", "--elements=50021", "--rounds=1"]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "main.py"), *words], capture_output=True, text=True, timeout=STUCK
    )
    assert done.returncode == 1, done.stderr
    assert "2 processes, 50,021 floats each: WRONG" in done.stdout


def test_an_all_reduce_whose_process_fails_ends_with_an_error():
    """Before it had waited five minutes for the sum."""
    main = HERE.parent / "all_reduce" / "main.py"
    words = ["--processes=2", f"--elements={10**15}"]  # more than an address space
    done = subprocess.run([sys.executable, str(main), *words], capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "ended with status 1" in done.stderr


@pytest.mark.soak
def test_all_reduce_beside_gloo():
    pytest.importorskip("torch", reason="gloo comes with torch: pip install torch")
    main = HERE.parent / "all_reduce" / "main.py"
    words = ["--processes=2", "--elements", "1000", "300007", "--rounds=3", "--beside=gloo"]
    done = subprocess.run([sys.executable, str(main), *words], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal to the direct sum") == 2
    assert done.stdout.count("gloo takes") == 2
    assert "WRONG" not in done.stdout
