import pytest
from ring_suites import Batches, OneThread, Processes

import lockfree


class TestAlone(OneThread):
    ring_type, prefix = lockfree.MPMCRing, "mpmc_ring"


class TestBatches(Batches):
    ring_type, prefix = lockfree.MPMCRing, "mpmc_ring"


@pytest.mark.parametrize(("producers", "consumers"), [(1, 1), (2, 2), (4, 4)], ids=["1p1c", "2p2c", "4p4c"])
class TestProcesses(Processes):
    ring_type, prefix = lockfree.MPMCRing, "mpmc_ring"
