/* The calls of locks and semaphore without arguments as bound builtins:
 * bind_<lock>(address, (handle, acquire, try_acquire, release)) -> (acquire, try_acquire, release).
 *
 * Whatever is more than one attempt that succeeds is left to the Python functions in the tuple. They may try again from
 * the beginning, except when the lock was taken from the dead: then it is held now, and that is said here. */
#define LF_PY_LOCK "lockfree lock"

enum { LF_PY_ACQUIRE = 1, LF_PY_TRY_ACQUIRE, LF_PY_RELEASE };

static PyObject *lf_py_lock_slowly(PyObject *self, Py_ssize_t which, PyObject *const *args, Py_ssize_t count,
                                   PyObject *names) {
    PyObject *owner = (PyObject *)PyCapsule_GetContext(self);
    return PyObject_Vectorcall(PyTuple_GET_ITEM(owner, which), args, (size_t)count, names);
}

#define LF_PY_FAST_METHOD(lock, method) \
    {#method, (PyCFunction)(void (*)(void))lf_py_fast_##lock##_##method, METH_FASTCALL | METH_KEYWORDS, NULL}

#define LF_PY_FAST_LOCK(lock, name, first, attempt, give)                                                           \
    static PyObject *lf_py_fast_##lock##_acquire(PyObject *self, PyObject *const *args, Py_ssize_t count,           \
                                                 PyObject *names) {                                                 \
        struct lf_##lock *l = (struct lf_##lock *)PyCapsule_GetPointer(self, LF_PY_LOCK);                           \
        int status = count == 0 && names == NULL ? (first) : LF_TIMEDOUT;                                           \
        if (LF_LIKELY(status == LF_OK))                                                                             \
            Py_RETURN_TRUE;                                                                                         \
        if (status == LF_OWNER_DIED)                                                                                \
            return lf_py_refuse(status, name);                                                                      \
        return lf_py_lock_slowly(self, LF_PY_ACQUIRE, args, count, names);                                          \
    }                                                                                                               \
    static PyObject *lf_py_fast_##lock##_try_acquire(PyObject *self, PyObject *const *args, Py_ssize_t count,       \
                                                     PyObject *names) {                                             \
        struct lf_##lock *l = (struct lf_##lock *)PyCapsule_GetPointer(self, LF_PY_LOCK);                           \
        int status = count == 0 && names == NULL ? (attempt) : LF_INVALID;                                          \
        if (LF_LIKELY(status == LF_OK))                                                                             \
            Py_RETURN_TRUE;                                                                                         \
        if (status == LF_TIMEDOUT)                                                                                  \
            Py_RETURN_FALSE;                                                                                        \
        if (status == LF_OWNER_DIED)                                                                                \
            return lf_py_refuse(status, name);                                                                      \
        return lf_py_lock_slowly(self, LF_PY_TRY_ACQUIRE, args, count, names);                                      \
    }                                                                                                               \
    static PyObject *lf_py_fast_##lock##_release(PyObject *self, PyObject *const *args, Py_ssize_t count,           \
                                                 PyObject *names) {                                                 \
        struct lf_##lock *l = (struct lf_##lock *)PyCapsule_GetPointer(self, LF_PY_LOCK);                           \
        if (LF_LIKELY(count == 0 && names == NULL) && LF_LIKELY((give) == LF_OK))                                   \
            Py_RETURN_NONE;                                                                                         \
        return lf_py_lock_slowly(self, LF_PY_RELEASE, args, count, names);                                          \
    }                                                                                                               \
    static PyMethodDef lf_py_fast_##lock##_methods[] = {                                                            \
        LF_PY_FAST_METHOD(lock, acquire),                                                                           \
        LF_PY_FAST_METHOD(lock, try_acquire),                                                                       \
        LF_PY_FAST_METHOD(lock, release),                                                                           \
    };                                                                                                              \
    static PyObject *lf_py_bind_##lock(PyObject *self, PyObject *args) {                                            \
        return lf_py_bind(args, LF_PY_LOCK, lf_py_fast_##lock##_methods, 3);                                        \
    }

LF_PY_FAST_LOCK(mutex, "Mutex", lf_mutex_try_acquire(l), lf_mutex_try_acquire(l), lf_mutex_release(l))
LF_PY_FAST_LOCK(spinlock, "SpinLock", lf_spinlock_try_acquire(l), lf_spinlock_try_acquire(l), lf_spinlock_release(l))
LF_PY_FAST_LOCK(semaphore, "Semaphore", lf_semaphore_acquire_at_once(l, 1), lf_semaphore_try_acquire(l, 1),
                lf_semaphore_release(l, 1))
LF_PY_BINDER(mutex)
LF_PY_BINDER(spinlock)
LF_PY_BINDER(semaphore)
