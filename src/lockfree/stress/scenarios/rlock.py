"""RLock: mutual exclusion."""

from lockfree._native.stress import lib
from lockfree.rlock import RLock
from lockfree.stress.lock_scenario import LockScenario


class RLockScenario(LockScenario):
    name = "rlock"
    lock = RLock
    drive = lib.lf_stress_drive_rlock


SCENARIO = RLockScenario()
