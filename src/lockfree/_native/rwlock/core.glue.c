/* RWLock as a Python type. Nothing stands between the acquisition and the return where a signal could be served. */
#include "common/section.h"

#define LF_PY_WRITER_DIED (-1001) /* LF_OWNER_DIED, for a reader */

static PyTypeObject *lf_py_rwlock_type;
LF_PY_KIND(rwlock)

static struct lf_rwlock *lf_py_rwlock(PyObject *object) {
    return (struct lf_rwlock *)((struct lf_py_object *)object)->p;
}

static uint32_t lf_py_rwlock_died(struct lf_rwlock *l) { return lf_py_lock_died(&l->h); }

static PyObject *lf_py_rwlock_take(PyObject *object, const struct lf_py_signature *signature, PyObject *const *args,
                                   Py_ssize_t count, PyObject *keywords,
                                   int (*take)(struct lf_rwlock *l, uint64_t deadline)) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    struct lf_rwlock *l = lf_py_rwlock(object);
    PyObject *places[2] = {NULL, NULL};
    uint64_t ns;
    int64_t status;
    if (lf_py_arguments(object, signature, args, count, keywords, places) != 0 ||
        lf_py_lock_patience(places[0], places[1], 0, &ns) != 0)
        return NULL;
    LF_PY_BRIEFLY(self, status, take(l, 0));
    if (status == LF_TIMEDOUT && ns != 0) {
        uint64_t until = lf_py_deadline(ns);
        LF_PY_UNTIL_DONE(self, status, take(l, until));
        if (status == LF_PY_RAISED && lf_py_enter_briefly(self) == LF_OK) {
            lf_rwlock_give_up(l);
            lf_py_leave_briefly(self);
        }
    }
    if (status == LF_OWNER_DIED && take == lf_rwlock_read)
        return lf_py_died(
            self, LF_PY_WRITER_DIED,
            "%U: the last writer, process %lld, died while it wrote: a writer must repair, then recover()");
    return status == LF_OWNER_DIED ? lf_py_owner_died(self) : lf_py_whether(self, status);
}
static PyObject *lf_py_rwlock_acquire_read(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                           PyObject *keywords) {
    static const struct lf_py_signature signature = {"acquire_read", 0, 2, {"blocking", "timeout"}};
    return lf_py_rwlock_take(object, &signature, args, count, keywords, lf_rwlock_read);
}
static PyObject *lf_py_rwlock_acquire_write(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                            PyObject *keywords) {
    static const struct lf_py_signature signature = {"acquire_write", 0, 2, {"blocking", "timeout"}};
    return lf_py_rwlock_take(object, &signature, args, count, keywords, lf_rwlock_write);
}

static PyObject *lf_py_rwlock_give(PyObject *object, int (*give)(struct lf_rwlock *l), const char *refusal) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, give(lf_py_rwlock(object)));
    return status == LF_NOT_OWNER ? lf_py_misuse(self, refusal) : lf_py_none(self, status);
}
static PyObject *lf_py_rwlock_release_read(PyObject *object, PyObject *unused) {
    return lf_py_rwlock_give(object, lf_rwlock_end_read, "release_read() where no thread of this participant reads");
}
static PyObject *lf_py_rwlock_release_write(PyObject *object, PyObject *unused) {
    return lf_py_rwlock_give(object, lf_rwlock_end_write, "release_write() by a thread that does not write");
}
static PyObject *lf_py_rwlock_recover(PyObject *object, PyObject *unused) {
    return lf_py_rwlock_give(object, lf_rwlock_recover, "recover() by a thread that does not write");
}

/* ---- reading(), writing() ---- */

/* A class of a user's may have calls of its own: the block uses those. */
static PyObject *lf_py_rwlock_through(PyObject *object, const char *method) {
    PyObject *done = PyObject_CallMethod(object, method, NULL);
    Py_XDECREF(done);
    return done != NULL ? Py_NewRef(Py_None) : NULL;
}
static PyObject *lf_py_rwlock_enter(const struct lf_py_section *section, const char *method,
                                    PyObject *(*take)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *)) {
    if (lf_py_is_subclass(section->object, lf_py_rwlock_type))
        return lf_py_rwlock_through(section->object, method);
    PyObject *taken = take(section->object, NULL, 0, NULL);
    Py_XDECREF(taken);
    return taken != NULL ? Py_NewRef(Py_None) : NULL;
}
static PyObject *lf_py_rwlock_enter_reading(const struct lf_py_section *section) {
    return lf_py_rwlock_enter(section, "acquire_read", lf_py_rwlock_acquire_read);
}
static PyObject *lf_py_rwlock_enter_writing(const struct lf_py_section *section) {
    return lf_py_rwlock_enter(section, "acquire_write", lf_py_rwlock_acquire_write);
}
static PyObject *lf_py_rwlock_exit_reading(const struct lf_py_section *section, int raised) {
    return lf_py_is_subclass(section->object, lf_py_rwlock_type) ? lf_py_rwlock_through(section->object, "release_read")
                                                                 : lf_py_rwlock_release_read(section->object, NULL);
}
static PyObject *lf_py_rwlock_exit_writing(const struct lf_py_section *section, int raised) {
    return lf_py_is_subclass(section->object, lf_py_rwlock_type)
               ? lf_py_rwlock_through(section->object, "release_write")
               : lf_py_rwlock_release_write(section->object, NULL);
}
static const struct lf_py_section_kind lf_py_rwlock_reads = {lf_py_rwlock_enter_reading, lf_py_rwlock_exit_reading};
static const struct lf_py_section_kind lf_py_rwlock_writes = {lf_py_rwlock_enter_writing, lf_py_rwlock_exit_writing};
static PyObject *lf_py_rwlock_reading(PyObject *object, PyObject *unused) {
    return (PyObject *)lf_py_section_new(object, &lf_py_rwlock_reads, 0);
}
static PyObject *lf_py_rwlock_writing(PyObject *object, PyObject *unused) {
    return (PyObject *)lf_py_section_new(object, &lf_py_rwlock_writes, 0);
}

/* ---- state ---- */

static PyObject *lf_py_rwlock_readers(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t count;
    LF_PY_BRIEFLY(self, count, lf_rwlock_readers(lf_py_rwlock(object)));
    return count < 0 ? lf_py_raise(self, count) : PyLong_FromLongLong(count);
}
static PyObject *lf_py_rwlock_locked(PyObject *object, void *unused) {
    struct lf_py_object *self = (struct lf_py_object *)object;
    int64_t status;
    LF_PY_BRIEFLY(self, status, lf_rwlock_locked(lf_py_rwlock(object)));
    return status < 0 ? lf_py_raise(self, status) : PyBool_FromLong((long)status);
}

static PyMethodDef lf_py_rwlock_methods[] = {
    LF_PY_FAST("acquire_read", lf_py_rwlock_acquire_read,
               "acquire_read($self, /, blocking=True, timeout=None)\n--\n\n"
               "Begins to read, waiting at most `timeout` seconds (None: for ever). False: a writer has the lock or "
               "waits.\n\n"
               "Raises `OwnerDied`, without the lock, if a writer died and no other one has repaired it yet."),
    LF_PY_FAST("acquire_write", lf_py_rwlock_acquire_write,
               "acquire_write($self, /, blocking=True, timeout=None)\n--\n\n"
               "Begins to write, waiting at most `timeout` seconds (None: for ever). False: somebody else has the "
               "lock.\n\n"
               "Raises `OwnerDied` *with the lock held* if the last writer died while it wrote: repair, then "
               "`recover()`."),
    {"release_read", lf_py_rwlock_release_read, METH_NOARGS,
     "release_read($self, /)\n--\n\nEnds a read. RuntimeError if no thread of this participant reads."},
    {"release_write", lf_py_rwlock_release_write, METH_NOARGS,
     "release_write($self, /)\n--\n\nEnds the write. RuntimeError if the calling thread does not write."},
    {"recover", lf_py_rwlock_recover, METH_NOARGS,
     "recover($self, /)\n--\n\nSays, after `OwnerDied`, that what the lock guards is in order again."},
    {"reading", lf_py_rwlock_reading, METH_NOARGS,
     "reading($self, /)\n--\n\n`acquire_read()` and `release_read()` around the block."},
    {"writing", lf_py_rwlock_writing, METH_NOARGS,
     "writing($self, /)\n--\n\n`acquire_write()` and `release_write()` around the block.\n\n"
     "After an `OwnerDied` the block has not run, and the lock is held: repair, `recover()`, `release_write()`."},
    LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_rwlock_properties[] = {
    {"readers", lf_py_rwlock_readers, NULL, "How many read.", NULL},
    {"writer", lf_py_rwlock_locked, NULL, "Whether somebody writes, or waits for readers to leave.", NULL},
    LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL},
};
LF_PY_SPEC(rwlock, "RWLock")
LF_PY_SURVEY(rwlock, {
    uint64_t word = lf_load_relaxed(x->word);
    s->inside = lf__lock_participant(word) != 0;
    lf_py_survey_hold(s, lf__lock_participant(word));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t readers = lf_load_relaxed(lf__rwlock_readers(x->body, s->peers[i].number));
        s->holds[s->peers[i].number] += readers;
        s->inside += readers;
    }
})
LF_PY_TYPE(rwlock)
