"""The stage kill for C: a process is killed before each of its instructions, and in the model before each step."""

import pytest
from compilers import NEEDS_C
from patience import STUCK

from lockfree.modelcheck import Settings
from lockfree.practice.c_stages import checked
from lockfree.practice.c_steps import steps
from lockfree.practice.catalog import find
from lockfree.practice.results import Outcome

pytestmark = NEEDS_C
KATA = find("shm_queue")


def killed(answer):
    found = steps(KATA, answer, STUCK)
    if found.outcome is Outcome.UNDECIDED:
        pytest.skip(found.message)
    return found


def test_a_change_in_two_stores_is_cut_between_them():
    found = killed(KATA.folder / "wrong" / "half_done.c")
    assert (found.outcome, found.diagnosis) == (Outcome.FAILED, "H3")
    assert "killed before its instruction " in found.message
    assert "(half_done.c:" in found.message


def test_a_right_answer_is_killed_before_each_instruction():
    found = killed(KATA.folder / "right" / "owner_lock.c")
    assert found.outcome is Outcome.PASSED
    assert len(found.looked_at) == 3
    assert all(int(line.rpartition("each of ")[2].split()[0]) > 20 for line in found.looked_at)


@pytest.mark.soak
def test_who_waits_for_the_dead_makes_no_progress():
    found = killed(KATA.folder / "wrong" / "lock_without_an_owner.c")
    assert (found.outcome, found.diagnosis) == (Outcome.FAILED, "H1")
    assert "no progress" in found.message


def test_the_model_stops_a_process_in_every_interleaving():
    settings = Settings(threads_stop=True, seconds=STUCK)
    sample = KATA.folder / "wrong" / "two_take_over.c"
    found = checked(KATA, sample, "kill", settings, lambda _: None)
    assert (found.outcome, found.diagnosis) == (Outcome.FAILED, "H2")
    assert found.token
    assert "dead" in found.detail
