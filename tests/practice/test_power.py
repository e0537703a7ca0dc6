"""The disk of the stage `kill`: what a power failure leaves, and that every failure is tried."""

from types import ModuleType

import pytest

from lockfree.practice import power
from lockfree.practice.catalog import find
from lockfree.practice.judge import again, judge
from lockfree.practice.power import Choices, Machine, PowerFailure
from lockfree.practice.results import Verdict

KATA = find("durable_store")


def answer():
    return ModuleType("answer")


def explored(function, most=10_000):
    return power.explore(function, answer, "", most, lambda _: None)


def test_choices_are_run_through_once_each():
    seen, following = [], ()
    while following is not None:
        choices = Choices(following)
        taken = [choices.choose(2)]
        if taken[0]:
            taken.append(choices.choose(3))
        seen.append(tuple(taken))
        following = choices.following()
        assert power.read_token(choices.token()) == tuple(taken)
    assert seen == [(0,), (1, 0), (1, 1), (1, 2)]


def left_after(work):
    """All that can be on the disk after a failure before the last operation."""
    found = set()

    def kill(machine):
        done = machine.run(lambda _: (work(machine.disk), machine.disk.write("end", b"")))
        if done is None and "before write('end'" in machine.rows[-1].text:
            machine.restart()
            found.add(tuple((name, machine.disk.read(name)) for name in machine.disk.names()))

    assert explored(kill).complete
    return found


def test_what_was_not_synchronized_may_be_left_in_part():
    def work(disk):
        disk.write("a", b"")
        disk.sync("a")
        disk.sync_names()
        disk.append("a", b"1234")
        disk.append("a", b"5678")

    contents = {dict(state)["a"] for state in left_after(work)}
    assert contents == {b"", b"12345678", b"123456", b"123456\0\0", b"\0\0\0\x005678"}


def test_what_was_synchronized_stays():
    def work(disk):
        disk.append("a", b"1234")
        disk.sync("a")

    assert left_after(work) == {(), (("a", b"1234"),)}  # the name alone may be gone


def test_a_rename_is_there_or_not():
    def work(disk):
        for name, content in (("a", b"old"), ("b", b"new")):
            disk.write(name, content)
            disk.sync(name)
        disk.sync_names()
        disk.rename("b", "a")

    assert left_after(work) == {(("a", b"old"), ("b", b"new")), (("a", b"new"),)}


def test_nothing_works_without_power():
    machine = Machine(answer, Choices((1,)), "")

    def work(_):
        with pytest.raises(PowerFailure):
            machine.disk.append("a", b"1")
        machine.disk.read("a")

    assert machine.run(work) is None
    assert machine.off
    machine.restart()
    with pytest.raises(FileNotFoundError):
        machine.disk.read("a")


def test_an_answer_cannot_hide_anything_in_the_disk():
    disk = Machine(answer, Choices(), "").disk
    with pytest.raises(AttributeError):
        disk.hidden = {}


def test_a_bound_is_said():
    def kill(machine):
        machine.run(lambda _: [machine.disk.append("a", b"1") for _ in range(5)])

    assert not explored(kill, most=3).complete
    assert explored(kill).complete


def test_a_failure_is_replayed_in_columns():
    sample = KATA.folder / "wrong" / "length_without_checksum.py"
    judgement = judge(KATA, sample)
    assert judgement.verdict is Verdict.REJECT
    assert (judgement.failure.stage, judgement.failure.diagnosis) == ("kill", "D2")
    shown = again(KATA, sample, judgement.failure)
    assert shown == judgement.failure.detail
    assert "*** the power fails before sync('log')" in shown
    assert "length_without_checksum.py:" in shown


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("while True:\n                pass", "no progress", marks=pytest.mark.soak),
        ("raise SystemExit(0)", "SystemExit"),
        pytest.param("self.kept = bytearray(1 << 40)", "MemoryError", marks=pytest.mark.soak),
    ],
)
def test_a_hostile_store_is_rejected(tmp_path, monkeypatch, body, says):
    if says == "no progress":
        monkeypatch.setattr("lockfree.practice.python_stages.SILENT", 2.0)
    text = (KATA.folder / "right" / "one_log.py").read_text()
    sample = tmp_path / KATA.file
    line = "        if end < len(log):\n"
    assert line in text
    sample.write_text(text.replace(line, f"{line}            {body}\n"))
    failure = judge(KATA, sample).failure
    assert failure.stage == "kill"
    assert says in failure.message


def test_a_power_failure_that_was_kept_is_an_exception():
    """Raised while the power is on, it would end the calls of a scenario without their assertions."""

    def kill(machine):
        def raises(_answer):
            raise PowerFailure

        machine.run(raises)

    assert explored(kill).message == "RuntimeError: the answer raises a power failure, and the power is on"
