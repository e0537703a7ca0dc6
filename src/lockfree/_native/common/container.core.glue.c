/* SPSCRing, MPMCRing and PriorityQueue as Python types: their arguments, and what their tables of methods share. */
#include "common/put_batches.h"
#include "common/ending.h"
#include "common/get_batches.h"
#include "common/lease.h"

LF_PY_TYPE(memory)
LF_PY_TYPE(lease)

/* Arguments are looked at before anything happens. `more`: a priority stands behind the record. */
static const struct lf_py_signature lf_py_put_signatures[] = {
    {"put", 1, 3, {"record", "block", "timeout"}}, {"put", 2, 4, {"record", "priority", "block", "timeout"}}};
static const struct lf_py_signature lf_py_put_many_signatures[] = {
    {"put_many", 1, 3, {"records", "block", "timeout"}},
    {"put_many", 2, 4, {"records", "priorities", "block", "timeout"}}};
static const struct lf_py_signature lf_py_put_nowait_signatures[] = {{"put_nowait", 1, 1, {"record"}},
                                                                     {"put_nowait", 2, 2, {"record", "priority"}}};
static const struct lf_py_signature lf_py_try_put_signatures[] = {{"try_put", 1, 1, {"record"}},
                                                                  {"try_put", 2, 2, {"record", "priority"}}};
static const struct lf_py_signature lf_py_commit_signatures[] = {{"commit", 0, 2, {"length", "view"}},
                                                                 {"commit", 1, 3, {"priority", "length", "view"}}};
static const struct lf_py_signature lf_py_cancel_signature = {"cancel", 0, 1, {"view"}};
static const struct lf_py_signature lf_py_release_signature = {"release", 0, 1, {"view"}};
static const struct lf_py_signature lf_py_get_into_signatures[] = {{"get_into", 1, 1, {"buffer"}},
                                                                   {"get_into", 1, 2, {"buffer", "priorities"}}};
static const struct lf_py_signature lf_py_get_many_signature = {
    "get_many", 1, 4, {"max", "block", "timeout", "as_array"}};

#define LF_PY_CALL                                                                                                     \
    PyObject *object, const struct lf_py_ops *ops, PyObject *const *args, Py_ssize_t count, PyObject *keywords

/* `count` plain positions, or all arguments in `places`. */
#define LF_PY_GIVEN(wanted, signature)                                                                                 \
    PyObject *places[LF_PY_MOST_ARGUMENTS] = {NULL};                                                                   \
    int more = ops->has_levels, plain = keywords == NULL && count == (wanted);                                         \
    (void)more;                                                                                                        \
    for (Py_ssize_t i = 0; plain && i < count; i++)                                                                    \
        places[i] = args[i];                                                                                           \
    if (LF_UNLIKELY(!plain) && lf_py_arguments(object, signature, args, count, keywords, places) != 0)                 \
    return NULL

LF_PY_GENERIC PyObject *lf_py_call_put(LF_PY_CALL) {
    LF_PY_GIVEN(1 + ops->has_levels, &lf_py_put_signatures[more]);
    uint64_t ns = LF_FOREVER;
    uint32_t level = 0;
    if ((LF_UNLIKELY(!plain) && lf_py_patience(places[1 + more], places[2 + more], &ns) != 0) ||
        (more && lf_py_level(object, ops, places[1], "priority", &level) != 0))
        return NULL;
    return lf_py_put(object, ops, places[0], level, ns);
}
LF_PY_GENERIC PyObject *lf_py_call_put_nowait(LF_PY_CALL) {
    LF_PY_GIVEN(1 + ops->has_levels, &lf_py_put_nowait_signatures[more]);
    uint32_t level = 0;
    if (more && lf_py_level(object, ops, places[1], "priority", &level) != 0)
        return NULL;
    return lf_py_put(object, ops, places[0], level, 0);
}
LF_PY_GENERIC PyObject *lf_py_call_try_put(LF_PY_CALL) {
    LF_PY_GIVEN(1 + ops->has_levels, &lf_py_try_put_signatures[more]);
    uint32_t level = 0;
    if (more && lf_py_level(object, ops, places[1], "priority", &level) != 0)
        return NULL;
    return lf_py_try_put(object, ops, places[0], level);
}

LF_PY_GENERIC PyObject *lf_py_call_get(LF_PY_CALL) {
    uint64_t ns;
    return lf_py_block_and_timeout(object, "get", 1, args, count, keywords, &ns) != 0 ? NULL
                                                                                      : lf_py_get(object, ops, ns);
}
LF_PY_GENERIC PyObject *lf_py_call_reserve(LF_PY_CALL) {
    uint64_t ns;
    return lf_py_block_and_timeout(object, "reserve", 0, args, count, keywords, &ns) != 0
               ? NULL
               : lf_py_reserve(object, ops, ns);
}
LF_PY_GENERIC PyObject *lf_py_call_peek(LF_PY_CALL) {
    uint64_t ns;
    return lf_py_block_and_timeout(object, "peek", 0, args, count, keywords, &ns) != 0 ? NULL
                                                                                       : lf_py_peek(object, ops, ns);
}
LF_PY_GENERIC PyObject *lf_py_call_lease(LF_PY_CALL) {
    uint64_t ns;
    return lf_py_block_and_timeout(object, "lease", 1, args, count, keywords, &ns) != 0
               ? NULL
               : lf_py_lease_new(object, ops, ns);
}
LF_PY_GENERIC PyObject *lf_py_call_put_many(LF_PY_CALL) {
    LF_PY_GIVEN(1 + ops->has_levels, &lf_py_put_many_signatures[more]);
    uint64_t ns = 0;
    PyObject *block = places[1 + more] != NULL ? places[1 + more] : Py_False;
    if (LF_UNLIKELY(!plain) && lf_py_patience(block, places[2 + more], &ns) != 0)
        return NULL;
    return lf_py_put_many(object, ops, places[0], more ? places[1] : NULL, ns);
}
LF_PY_GENERIC PyObject *lf_py_call_get_many(LF_PY_CALL) {
    LF_PY_GIVEN(1, &lf_py_get_many_signature);
    uint64_t ns = 0;
    int as_array = places[3] != NULL ? PyObject_IsTrue(places[3]) : 0;
    PyObject *block = places[1] != NULL ? places[1] : Py_False;
    if (as_array < 0 || (LF_UNLIKELY(!plain) && lf_py_patience(block, places[2], &ns) != 0))
        return NULL;
    return lf_py_get_many(object, ops, places[0], ns, as_array);
}
LF_PY_GENERIC PyObject *lf_py_call_get_into(LF_PY_CALL) {
    LF_PY_GIVEN(1, &lf_py_get_into_signatures[more]);
    return lf_py_get_into(object, ops, places[0], places[1]);
}
LF_PY_GENERIC PyObject *lf_py_call_commit(LF_PY_CALL) {
    LF_PY_GIVEN(-1, &lf_py_commit_signatures[more]);
    return lf_py_commit(object, ops, more ? places[0] : NULL, places[more], places[more + 1]);
}
LF_PY_GENERIC PyObject *lf_py_call_cancel(LF_PY_CALL) {
    LF_PY_GIVEN(0, &lf_py_cancel_signature);
    return lf_py_give_slot_back(object, LF_PY_RESERVED, ops->cancel, places[0]);
}
LF_PY_GENERIC PyObject *lf_py_call_release(LF_PY_CALL) {
    LF_PY_GIVEN(0, &lf_py_release_signature);
    return lf_py_give_slot_back(object, LF_PY_PEEKED, ops->release, places[0]);
}
LF_PY_GENERIC PyObject *lf_py_call_shutdown(LF_PY_CALL) {
    int immediate = lf_py_immediate(object, args, count, keywords);
    return immediate < 0 ? NULL : lf_py_shutdown(object, ops, immediate);
}

/* ---- the functions of one kind ---- */

#define LF_PY_CONTAINER_FAST(kind, method)                                                                             \
    static PyObject *lf_py_##kind##_##method##_method(PyObject *object, PyObject *const *args, Py_ssize_t count,       \
                                                      PyObject *keywords) {                                            \
        return lf_py_call_##method(object, &lf_py_##kind##_ops, args, count, keywords);                                \
    }
#define LF_PY_CONTAINER_PLAIN(kind, method, expression)                                                                \
    static PyObject *lf_py_##kind##_##method##_method(PyObject *object, PyObject *unused) {                            \
        const struct lf_py_ops *ops = &lf_py_##kind##_ops;                                                             \
        return expression;                                                                                             \
    }
static PyObject *lf_py_number(int64_t size) { return size < 0 ? NULL : PyLong_FromLongLong(size); }
static PyObject *lf_py_truth(int64_t size, int answer) { return size < 0 ? NULL : PyBool_FromLong(answer); }

#define LF_PY_CONTAINER_FUNCTIONS(kind)                                                                                \
    LF_PY_KIND(kind)                                                                                                   \
    LF_PY_CONTAINER_FAST(kind, put)                                                                                    \
    LF_PY_CONTAINER_FAST(kind, put_nowait)                                                                             \
    LF_PY_CONTAINER_FAST(kind, try_put)                                                                                \
    LF_PY_CONTAINER_FAST(kind, get)                                                                                    \
    LF_PY_CONTAINER_FAST(kind, put_many)                                                                               \
    LF_PY_CONTAINER_FAST(kind, get_many)                                                                               \
    LF_PY_CONTAINER_FAST(kind, get_into)                                                                               \
    LF_PY_CONTAINER_FAST(kind, reserve)                                                                                \
    LF_PY_CONTAINER_FAST(kind, commit)                                                                                 \
    LF_PY_CONTAINER_FAST(kind, cancel)                                                                                 \
    LF_PY_CONTAINER_FAST(kind, release)                                                                                \
    LF_PY_CONTAINER_FAST(kind, peek)                                                                                   \
    LF_PY_CONTAINER_FAST(kind, lease)                                                                                  \
    LF_PY_CONTAINER_FAST(kind, shutdown)                                                                               \
    LF_PY_CONTAINER_PLAIN(kind, try_put_one, lf_py_try_put(object, ops, unused, 0))                                    \
    LF_PY_CONTAINER_PLAIN(kind, try_get, lf_py_try_get(object, ops))                                                   \
    LF_PY_CONTAINER_PLAIN(kind, get_nowait, lf_py_get(object, ops, 0))                                                 \
    LF_PY_CONTAINER_PLAIN(kind, qsize, lf_py_number(lf_py_size(object, ops)))                                          \
    static PyObject *lf_py_##kind##_empty_method(PyObject *object, PyObject *unused) {                                 \
        int64_t size = lf_py_size(object, &lf_py_##kind##_ops);                                                        \
        return lf_py_truth(size, size == 0);                                                                           \
    }                                                                                                                  \
    static PyObject *lf_py_##kind##_full_method(PyObject *object, PyObject *unused) {                                  \
        int64_t size = lf_py_size(object, &lf_py_##kind##_ops);                                                        \
        return lf_py_truth(size, size >= (int64_t)lf_py_##kind##_ops.capacity(LF_PY_CONTAINER(object)->o.p));          \
    }                                                                                                                  \
    static Py_ssize_t lf_py_##kind##_length(PyObject *object) {                                                        \
        return (Py_ssize_t)lf_py_size(object, &lf_py_##kind##_ops) < 0                                                 \
                   ? -1                                                                                                \
                   : (Py_ssize_t)lf_py_size(object, &lf_py_##kind##_ops);                                              \
    }

static int lf_py_always(PyObject *object) {
    (void)object;
    return 1;
}

#define LF_PY_CONTAINER_TYPE(kind, Name)                                                                               \
    static PyGetSetDef lf_py_##kind##_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};          \
    static PyType_Slot lf_py_##kind##_slots[] = {                                                                      \
        {Py_tp_new, (void *)lf_py_##kind##_new},                                                                       \
        {Py_tp_dealloc, (void *)lf_py_dealloc_container},                                                              \
        {Py_tp_methods, lf_py_##kind##_methods},                                                                       \
        {Py_tp_getset, lf_py_##kind##_properties},                                                                     \
        {Py_sq_length, (void *)lf_py_##kind##_length},                                                                 \
        {Py_nb_bool, (void *)lf_py_always},                                                                            \
        {0, NULL},                                                                                                     \
    };                                                                                                                 \
    static PyTypeObject *lf_py_##kind##_type;                                                                          \
    static PyType_Spec lf_py_##kind##_spec = {                                                                         \
        .name = "lockfree." Name,                                                                                      \
        .basicsize = sizeof(struct lf_py_container),                                                                   \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                                             \
        .slots = lf_py_##kind##_slots,                                                                                 \
    };

#define LF_PY_FAST_OF(kind, method, doc) LF_PY_FAST(#method, lf_py_##kind##_##method##_method, doc)
#define LF_PY_PLAIN_OF(kind, method, doc) {#method, lf_py_##kind##_##method##_method, METH_NOARGS, doc}

/* What the tables of all three kinds have, with the same words. */
#define LF_PY_CONTAINER_METHODS(kind)                                                                                  \
    LF_PY_METHODS_BUT_CLOSE{"_use", lf_py_use, METH_VARARGS, NULL},                                                    \
        {"close", lf_py_close_container, METH_NOARGS, LF_PY_CLOSE_DOC},                                                \
        LF_PY_FAST_OF(                                                                                                 \
            kind, reserve,                                                                                             \
            "reserve($self, /, block=False, timeout=None)\n--\n\n"                                                     \
            "A writable view (memoryview, or array of the dtype) for a record, or None if all slots are used.\n\n"     \
            "`commit()` publishes what stands in it then; `cancel()` gives it back. The view is private memory: "      \
            "after that it\n"                                                                                          \
            "ends (a memoryview) or changes nothing any more (an array)."),                                            \
        LF_PY_FAST_OF(kind, cancel,                                                                                    \
                      "cancel($self, /, view=None)\n--\n\n"                                                            \
                      "Gives a reservation back unused: that of `view`, or the calling thread's last one."),           \
        LF_PY_PLAIN_OF(kind, qsize,                                                                                    \
                       "qsize($self, /)\n--\n\nHow many records are inside: exact while nobody else is running."),     \
        LF_PY_PLAIN_OF(kind, empty, "empty($self, /)\n--\n\n`qsize() == 0`."),                                         \
        LF_PY_PLAIN_OF(kind, full, "full($self, /)\n--\n\n`qsize() >= capacity`."),                                    \
        LF_PY_FAST_OF(kind, shutdown,                                                                                  \
                      "shutdown($self, /, immediate=False)\n--\n\n"                                                    \
                      "Ends the object for every process: nothing can be put any more, and `get` raises `Closed` "     \
                      "once it is empty.\n\n"                                                                          \
                      "With `immediate` at once, whatever is inside. Sleepers wake up. It cannot be undone.")

/* The same of the two rings. */
#define LF_PY_RING_METHODS(kind)                                                                                       \
    LF_PY_CONTAINER_METHODS(kind),                                                                                     \
        LF_PY_FAST_OF(kind, put,                                                                                       \
                      "put($self, /, record, block=True, timeout=None)\n--\n\n"                                        \
                      "Appends a record, waiting at most `timeout` seconds (None: for ever) while the ring is full: "  \
                      "`queue.Full`."),                                                                                \
        {"try_put", lf_py_##kind##_try_put_one_method, METH_O,                                                         \
         "try_put($self, record, /)\n--\n\n"                                                                           \
         "Appends a record; False if the ring is full. ValueError if it is longer than `record_size`."},               \
        LF_PY_FAST_OF(kind, put_nowait,                                                                                \
                      "put_nowait($self, /, record)\n--\n\n`put` that raises `queue.Full` instead of waiting."),       \
        LF_PY_FAST_OF(kind, get,                                                                                       \
                      "get($self, /, block=True, timeout=None)\n--\n\n"                                                \
                      "The oldest record, waiting at most `timeout` seconds (None: for ever) for it: `queue.Empty`."), \
        LF_PY_PLAIN_OF(kind, try_get, "try_get($self, /)\n--\n\nThe oldest record, or None if the ring is empty."),    \
        LF_PY_PLAIN_OF(kind, get_nowait,                                                                               \
                       "get_nowait($self, /)\n--\n\n`get` that raises `queue.Empty` instead of waiting."),             \
        LF_PY_FAST_OF(kind, put_many,                                                                                  \
                      "put_many($self, /, records, block=False, timeout=None)\n--\n\n"                                 \
                      "Appends records until the ring is full; how many went in.\n\n"                                  \
                      "`records` is a sequence of records, a 2-D buffer with one record per row, an array of the "     \
                      "ring's dtype, or an\n"                                                                          \
                      "iterator, of which what does not fit is not taken. One of a sequence that is too long is "      \
                      "ValueError and nothing\n"                                                                       \
                      "goes in. With `block` it waits for room for the first one at most `timeout` seconds, then "     \
                      "raises `queue.Full`."),                                                                         \
        LF_PY_FAST_OF(                                                                                                 \
            kind, get_many,                                                                                            \
            "get_many($self, /, max, block=False, timeout=None, as_array=False)\n--\n\n"                               \
            "Up to `max` records as a list, oldest first; [] if the ring is empty.\n\n"                                \
            "With `block` it waits for the first one at most `timeout` seconds, then raises `queue.Empty`.\n"          \
            "`as_array`: one array with a record of the dtype per row."),                                              \
        LF_PY_FAST_OF(kind, get_into,                                                                                  \
                      "get_into($self, /, buffer)\n--\n\n"                                                             \
                      "Fills the rows of a writable buffer with records, oldest first; how many there were.\n\n"       \
                      "A row must have at least `record_size` bytes; a shorter record is padded with zeros."),         \
        LF_PY_FAST_OF(kind, commit,                                                                                    \
                      "commit($self, /, length=None, view=None)\n--\n\n"                                               \
                      "Publishes a reservation as a record of `length` bytes (None: all of it): that of `view`, or "   \
                      "the calling\n"                                                                                  \
                      "thread's last one."),                                                                           \
        LF_PY_FAST_OF(kind, peek,                                                                                      \
                      "peek($self, /, block=False, timeout=None)\n--\n\n"                                              \
                      "A view of the oldest record, or None if the ring is empty; `release()` gives its slot back "    \
                      "and ends it."),                                                                                 \
        LF_PY_FAST_OF(kind, release,                                                                                   \
                      "release($self, /, view=None)\n--\n\n"                                                           \
                      "Gives back the slot of a peeked record: that of `view`, or the calling thread's last one."),    \
        LF_PY_FAST_OF(kind, lease,                                                                                     \
                      "lease($self, /, block=True, timeout=None)\n--\n\n"                                              \
                      "`with ring.lease() as record:` takes a record that is only acknowledged when the block ends "   \
                      "normally.\n\n"                                                                                  \
                      "If the block raises, or its process dies, the record is inside again, exactly once. Raises "    \
                      "`queue.Empty` like\n"                                                                           \
                      "`get`.")
