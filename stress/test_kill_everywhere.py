"""The whole campaign: every instruction of every operation, in every mode."""

import pytest

from lockfree.stress import kill_everywhere
from lockfree.stress.kill_everywhere import Choice

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("primitive", kill_everywhere.primitives())
def test_every_contract_outlives_every_kill(primitive):
    results = kill_everywhere.campaign(
        [primitive], Choice(), progress=lambda r: print(kill_everywhere.row(r), flush=True)
    )
    for result in results:
        assert not result.breaches, "\n".join(map(str, result.breaches))
        assert not result.problem
        for tally in result.tallies:
            assert tally.points >= tally.instructions
            assert tally.diverged <= tally.points // 50, "the paths must be those that were recorded"


@pytest.mark.parametrize("primitive", sorted(set(kill_everywhere.primitives()) - {"named_segment"}))
@pytest.mark.parametrize("seed", [0, 1_000_000])
def test_every_contract_outlives_thousands_of_random_kills_under_load(primitive, seed):
    done = kill_everywhere.kill_under_load(primitive, 4000, seed)
    print(
        f"{primitive}: {done.killed} kills in {done.rounds} rounds, {done.operations:,} operations, {done.seconds:.0f} s"
    )
    assert not done.wrong
    assert done.rounds == 4000
