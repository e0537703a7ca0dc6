"""Mutex: mutual exclusion."""

from lockfree._native.stress import lib
from lockfree.mutex import Mutex
from lockfree.stress.lock_scenario import LockScenario


class MutexScenario(LockScenario):
    name = "mutex"
    lock = Mutex
    drive = lib.lf_stress_drive_mutex


SCENARIO = MutexScenario()
