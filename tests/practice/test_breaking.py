"""`lockfree practice break`: the reader is the scheduler; what is typed is replayed."""

import io

import pytest
from compilers import NEEDS_C

from lockfree.__main__ import main
from lockfree.modelcheck.python.explore import explore_made
from lockfree.practice.breaking import SOON, breakable, choices_of, game_of, play
from lockfree.practice.catalog import find


def typed(monkeypatch, capsys, lines, *arguments):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    status = main(["practice", "break", *arguments])
    said = capsys.readouterr()
    return status, said.out + said.err


@NEEDS_C
def test_weak_memory_is_the_readers_choice(monkeypatch, capsys):
    # T1 puts; T2 first reads the old value, which is right; taken back, it reads the new one
    lines = ["1", "1", "1", "2", "", "1", "u", "5", "0"]
    status, said = typed(monkeypatch, capsys, lines, "spsc_ring", "publish_relaxed")
    assert "which value does it read?" in said
    assert "[1] block 1+128 == 0xffffffff acquire (from initial, STALE)" in said
    assert "everything in it is right" in said or "'5' is no choice here" in said
    assert "It fails: data race" in said
    assert "S1  the record is published without an order" in said
    assert status == 0


@NEEDS_C
def test_the_place_of_a_store_is_the_readers_choice():
    with game_of(find("peterson"), "acquire_release") as (_, game):
        choices = []
        while not (look := game.look(choices)).question.startswith("where does the store come"):
            choices.append(look.options[0].value)  # T1 goes first
    assert [option.text.partition("  ")[0] for option in look.options] == [
        "lock+8 := 0 release as the newest",
        "lock+8 := 0 release placed before 1 newer",
    ]


@NEEDS_C
def test_an_endless_wait_is_one_step(monkeypatch, capsys):
    # T1 dies between its claim and its store; T2 would read the same word for ever
    status, said = typed(monkeypatch, capsys, ["1", "1", "1", "1", "1", "0"], "shm_queue", "dead_reservation")
    assert "It fails: not lock-free: T2 waits for a change" in said
    assert status == 0


def test_the_first_question_comes_before_scenarios_that_pass_are_searched(monkeypatch):
    asked = []

    def explored(make, name, settings):
        asked.append((name, settings.executions))
        return explore_made(make, name, settings)

    monkeypatch.setattr("lockfree.practice.breaking.explore_made", explored)
    with game_of(find("crawler"), "keeps_the_host") as (_, game):
        assert game.client == asked[-1][0] == "schedules_broken_page"
        assert game.look([]).question or game.look([]).failure
    assert len(asked) > 1
    assert max(executions for _, executions in asked) == SOON[0]


@pytest.mark.soak
def test_a_python_program_is_broken_by_its_schedule(monkeypatch, capsys):
    kata = find("bounded_queue")
    with game_of(kata, "if_for_while") as (_, game):
        solution = [str(choice) for choice in game.solution]
        assert any(choice != "0" for choice in solution)
    status, said = typed(monkeypatch, capsys, [*solution, *[""] * 30], "bounded_queue", "if_for_while")
    assert "who goes on?" in said
    assert "It fails: exception: IndexError" in said
    assert "Q1  a waiting thread does not look again" in said
    assert status == 0


@pytest.mark.soak
def test_hints_lead_to_the_failure():
    with game_of(find("bounded_queue"), "if_for_while") as (_, game):
        said = []

        def ask(_):
            assert len(said) < 500
            last = said[-1]
            if last.startswith("Choose "):
                return last.removeprefix("Choose ").rstrip(".")
            return "" if last.startswith("Go on") else "h"

        assert play(game, ask, said.append)


@pytest.mark.soak
def test_who_gives_up_is_told(monkeypatch, capsys):
    status, said = typed(monkeypatch, capsys, ["x", "q"], "bounded_queue", "if_for_while")
    assert status == 1
    assert "'x' is no choice here" in said
    assert "It did not fail" in said
    status, said = typed(monkeypatch, capsys, [], "bounded_queue", "nothing")
    assert status == 3
    assert "no wrong answer 'nothing' of bounded_queue" in said


def test_a_token_is_taken_apart():
    assert choices_of("g1.0.0.10000-1A2z0100-.30:8-ab") == ("g1.0.0.10000", [1, 0, 0, 2, 256], ".30:8-ab")


def test_the_list_of_what_can_be_broken(monkeypatch, capsys):
    status, said = typed(monkeypatch, capsys, [], "spsc_ring", "--list")
    assert status == 0
    assert "publish_relaxed" in said
    assert "sixteen_bits" not in said  # a fault of one thread alone
    assert len(breakable(find("spsc_ring"))) >= 4
