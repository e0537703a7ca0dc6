LF_PY_LOCK(mutex, "Mutex")
LF_PY_TYPE(mutex)
