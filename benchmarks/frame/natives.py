"""The programs of benchmarks/native: compiled here, with what the machine has of Boost, oneTBB and Concurrency Kit."""

import functools
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import lockfree
from frame.columns import Column, Entry, Sample, Skip
from lockfree._compiler import compiler

SOURCES = Path(__file__).parent.parent / "native"
BUILD = Path(__file__).parent.parent.parent / "build" / "native"
OURS = ("SPSCRing", "MPMCRing", "Mutex", "SpinLock", "Semaphore", "BlockPool", "BlockPool,fifo")
PACKAGES = {"boost": "Debian's libboost-dev", "tbb": "Debian's libtbb-dev", "ck": "Debian's libck-dev"}
MANY_TO_MANY = ("MPMCRing", "boost::queue", "tbb::bounded_queue", "ck_ring_mpmc", "std::mutex+std::queue")
ONE_TO_ONE = ("SPSCRing", "boost::spsc_queue", "ck_ring_spsc", *MANY_TO_MANY)
LOCKS = ("Mutex", "SpinLock", "pthread_mutex", "pthread_mutex,robust", "pthread_spin", "tbb::spin_mutex")
SEMAPHORES = ("Semaphore", "sem_t")
BLOCKS = ("BlockPool", "BlockPool,fifo", "a_word_for_each_block", "a_tagged_stack")


@functools.cache
def _compiled(name: str) -> Path | str:
    """The program, compiled if needed; or why there is none."""
    BUILD.mkdir(parents=True, exist_ok=True)
    target = BUILD / name
    include = f"-I{lockfree.get_include()}"
    cxx = os.environ.get("CXX", "c++").split()
    headers = [*Path(lockfree.get_include()).rglob("*.h"), *SOURCES.iterdir()]
    if target.exists() and target.stat().st_mtime > max(path.stat().st_mtime for path in headers):
        return target
    try:
        with tempfile.TemporaryDirectory() as folder:
            kit = f"{folder}/ck.o"
            subprocess.run([*compiler(), "-O2", "-c", str(SOURCES / "ck_rings.c"), "-o", kit], check=True)
            command = [
                *cxx,
                "-std=c++17",
                "-O2",
                include,
                str(SOURCES / f"{name}.cpp"),
                kit,
                "-o",
                str(target),
                "-lpthread",
            ]
            if subprocess.run([*command, "-ltbb"], capture_output=True).returncode != 0:
                subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{name} cannot be compiled: {getattr(error, 'stderr', None) or error}"
    return target


def program(name: str) -> Path:
    """Skip if there is no compiler for C++17."""
    made = _compiled(name)
    if isinstance(made, str):
        raise Skip(made)
    return made


@functools.cache
def cases(name: str) -> set[tuple[str, str]]:
    """(workload, peer) of all that a program can measure."""
    listed = subprocess.run([str(program(name)), "list"], capture_output=True, text=True, check=True)
    return {(workload, peer) for workload, _, peer in (line.partition(" ") for line in listed.stdout.splitlines())}


def _sampler(name: str, workload: str, peer: str) -> Callable[[float], Sample]:
    def sample(seconds: float) -> Sample:
        if (workload, peer) not in cases(name):
            raise Skip(f"its header is not there: {PACKAGES.get(re.split('[_:]', peer)[0], peer)}")
        command = [str(program(name)), "run", workload, peer, str(round(seconds * 1000))]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        value = float(done.stdout)
        if not 0 < value < 1e9:
            raise RuntimeError("nothing was done in that time")
        return Sample(value)

    return sample


def column(name: str, workload: str, title: str, unit: str, peers: Sequence[str]) -> Column:
    """A workload of a program, of which our part is measured, too. Nothing is compiled before the first sample."""
    entries = [Entry(peer, _sampler(name, workload, peer), ours=peer in OURS) for peer in peers]
    prepare = functools.partial(_compiled, name)
    return Column(f"c_{workload}", title, unit, entries, more=unit == "M/s", prepare=prepare)
