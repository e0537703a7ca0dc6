LF_PY_LOCK(rlock, "RLock")
LF_PY_TYPE(rlock)
