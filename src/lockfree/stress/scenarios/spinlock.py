"""SpinLock: mutual exclusion."""

from lockfree._native.stress import lib
from lockfree.spinlock import SpinLock
from lockfree.stress.lock_scenario import LockScenario


class SpinLockScenario(LockScenario):
    name = "spinlock"
    lock = SpinLock
    drive = lib.lf_stress_drive_spinlock


SCENARIO = SpinLockScenario()
