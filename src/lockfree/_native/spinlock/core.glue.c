LF_PY_LOCK(spinlock, "SpinLock")
LF_PY_TYPE(spinlock)
