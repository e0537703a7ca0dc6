"""The whole campaign: every instruction of every operation, in every mode."""

import pytest

from lockfree.stress import kill_everywhere
from lockfree.stress.kill_everywhere import Choice

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("primitive", kill_everywhere.primitives())
def test_every_contract_outlives_every_kill(primitive):
    results = kill_everywhere.campaign([primitive], Choice(), progress=lambda r: print(kill_everywhere.row(r), flush=True))
    for result in results:
        assert not result.breaches, "\n".join(map(str, result.breaches))
        assert not result.problem
        for tally in result.tallies:
            assert tally.points >= tally.instructions
            assert tally.diverged <= tally.points // 50, "the paths must be those that were recorded"
