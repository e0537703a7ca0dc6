import pytest
from ring_suites import Batches, OneThread, Processes

import lockfree


class TestAlone(OneThread):
    ring_type, prefix = lockfree.SPSCRing, "spsc_ring"


class TestBatches(Batches):
    ring_type, prefix = lockfree.SPSCRing, "spsc_ring"


@pytest.mark.parametrize(("producers", "consumers"), [(1, 1)], ids=["1p1c"])
class TestProcesses(Processes):
    ring_type, prefix = lockfree.SPSCRing, "spsc_ring"
    batched, single = 6_400_000, 640_000
