"""The walls behind the screen: what ends the process of an answer, and what goes on."""

import subprocess
import sys

import pytest

BEGIN = """
import builtins, copy, dataclasses, gc, os, sys
from collections import namedtuple
from lockfree.practice.walls import guard

def ended(why):
    print("ended:", why, flush=True)
    os._exit(3)

guard(__file__, ended)
"""
ENDED = {
    "a text that runs": "builtins.exec('1')",
    "all objects": "gc.get_objects()",
    "a library of the system": "import ctypes; ctypes.CDLL(None)",
    "a file": "open(__file__)",
    "the code of a function": "(lambda: 0).__code__",
    "a process": "os.fork()",
    "another hook": "sys.addaudithook(print)",
    "a copy that is something else": """
class Evil:
    def __reduce_ex__(self, protocol): return (lambda: os, (), (None, {"name": 1}))
copy.copy(Evil())""",
    "a field that is a text": "dataclasses.dataclass(type('X', (), {'__annotations__': {'a=print(1)):#': int}}))",
    "the attributes of a module": "dataclasses.replace(os)",
    "a module that takes attributes over": "import functools; functools.wraps(lambda: 0)(os)",
}
ALLOWED = """
import threading

@dataclasses.dataclass(order=True)
class Job:
    at: float
    _number: int = 0
    tags: list = dataclasses.field(default_factory=list, compare=False)

class Node:
    def __init__(self): self.next = None

job = Job(1.0, 2, ["a"])
assert dataclasses.replace(job, at=2.0) > job
assert dataclasses.asdict(job) == {"at": 1.0, "_number": 2, "tags": ["a"]}
first = Node()
first.next = Node()
assert copy.deepcopy(first).next is not first.next
assert type(copy.copy(first)) is Node and copy.copy(job) == job and copy.deepcopy([{1: {2}}]) == [{1: {2}}]
assert namedtuple("Pair", "a b")(1, 2).b == 2
thread = threading.Thread(target=print, args=("well",))
thread.start()
thread.join()
"""


def ran(text, folder):
    (folder / "tried.py").write_text(BEGIN + text)
    return subprocess.run(
        [sys.executable, str(folder / "tried.py")], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("what", ENDED)
def test_what_no_answer_has_a_use_for_ends_it(tmp_path, what):
    done = ran(ENDED[what], tmp_path)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("ended: ")


def test_copies_and_dataclasses_go_on(tmp_path):
    done = ran(ALLOWED, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")
