import pytest
from lock_suites import Alone, Contended

import lockfree


class TestAlone(Alone):
    lock_type = lockfree.RLock


@pytest.mark.parametrize("processes", [2, 8], ids=["2", "8"])
class TestContended(Contended):
    lock_type = lockfree.RLock
