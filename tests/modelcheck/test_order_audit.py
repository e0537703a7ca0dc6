"""Every memory order in c/include is needed, or has a written reason: see stress/model/audit.py."""

import re

import pytest
from stress.model import audit


def test_the_orders_of_roles(capsys):
    assert audit.main("--no-table --header role.h --source role.c".split()) == 0, capsys.readouterr().err
    assert "3 weakenings, 3 caught, 0 unexplained" in capsys.readouterr().out


@pytest.mark.soak
def test_the_orders_of_the_event_count(capsys):
    assert audit.main("--no-table --header wait.h --source eventcount.c".split()) == 0, capsys.readouterr().err
    assert re.search(r"([1-9]\d*) weakenings, \1 caught, 0 unexplained", capsys.readouterr().out)


@pytest.mark.soak
def test_the_orders_of_the_asymmetric_fence(capsys):
    words = "--no-table --header asymmetric.h --source asymmetric.c"
    assert audit.main(words.split()) == 0, capsys.readouterr().err
    assert "7 weakenings, 6 caught, 0 unexplained" in capsys.readouterr().out


@pytest.mark.soak
def test_every_order():
    assert audit.main(["--no-table"]) == 0


@pytest.mark.soak
def test_forty_mutants():
    assert audit.main(["--mutants", "40"]) == 0


def test_every_reason_is_of_something_that_is_there():
    keys = {
        (m.header, m.key) for h in audit.INCLUDE.rglob("*.h") for m in [*audit.orders(h), *audit.drops_and_swaps(h)]
    }
    for header, written in audit.reasons().items():
        for key, reason in written.items():
            assert (f"{header}.h", key) in keys
            assert len(reason) > 20
