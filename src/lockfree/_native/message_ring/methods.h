/* methods.h: the table of a MessageRing's methods, and its type. Included by core.glue.c alone. */
#ifndef LOCKFREE_PY_MESSAGE_METHODS_H
#define LOCKFREE_PY_MESSAGE_METHODS_H

static PyMethodDef lf_py_message_ring_methods[] = {
    LF_PY_FAST("put", lf_py_messages_put,
               "put($self, /, message, block=True, timeout=None)\n--\n\n"
               "Puts a bytes-like message, waiting at most `timeout` seconds (None: for ever) for room.\n"
               "\n"
               "Raises queue.Full; ValueError if the message is longer than `max_message`; Closed after shutdown."),
    {"try_put", lf_py_messages_try_put, METH_O,
     "try_put($self, message, /)\n--\n\n"
     "`put` that never waits; False if there is no room."},
    LF_PY_FAST(
        "put_many", lf_py_messages_put_many,
        "put_many($self, /, messages, block=False, timeout=None)\n--\n\n"
        "Puts messages until one has no room; how many went in. With `block` the first one waits.\n"
        "\n"
        "`messages` is a sequence, of which none goes in if one is too long; a 2-D buffer with a message per row; or "
        "an\n"
        "iterator, of which what does not fit is not taken. An item that is longer than the one before and has no room "
        "is\n"
        "`record` of the queue.Full that is raised, and `put` says how many went in. They keep their order; messages "
        "of\n"
        "others may come between them."),
    {"free", lf_py_messages_free, METH_NOARGS,
     "free($self, /)\n--\n\n"
     "Bytes that are free, with what each block needs beside its payload: exact while nobody else is running."},
    LF_PY_FAST("shutdown", lf_py_messages_shutdown,
               "shutdown($self, /, immediate=False)\n--\n\n"
               "Ends the ring for every process: nothing can be put any more, and `get` raises `Closed` once it is "
               "empty.\n"
               "\n"
               "With `immediate` at once, whatever is inside. Sleepers wake up. It cannot be undone."),
    LF_PY_FAST("get", lf_py_messages_get,
               "get($self, /, block=True, timeout=None)\n--\n\n"
               "The oldest message, as bytes; waits at most `timeout` seconds (None: for ever) for one.\n"
               "\n"
               "Raises queue.Empty; Closed after shutdown, when nothing is left."),
    {"try_get", lf_py_messages_try_get, METH_NOARGS,
     "try_get($self, /)\n--\n\n"
     "`get` that never waits; None if nothing is inside."},
    LF_PY_FAST("get_many", lf_py_messages_get_many,
               "get_many($self, /, n=None, block=False, timeout=None)\n--\n\n"
               "Up to `n` messages (None: all that are there). With `block` it waits for the first one."),
    LF_PY_FAST(
        "peek", lf_py_messages_peek,
        "peek($self, /, block=False, timeout=None)\n--\n\n"
        "Takes the oldest message; a view of it, or None. Then release(). If the process dies, the message is lost."),
    {"release", lf_py_messages_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Frees the message that peek() gave. Its view ends."},
    LF_PY_FAST("read", lf_py_messages_read,
               "read($self, /, block=True, timeout=None)\n--\n\n"
               "`with ring.read() as view`: takes the oldest message; it is seen in place if it fits into one block.\n"
               "\n"
               "Its blocks are free when the block ends, also if that raises. What was made of the view (an array) may "
               "be kept:\n"
               "it has memory of its own then. queue.Empty as for `get`."),
    {"qsize", lf_py_messages_qsize, METH_NOARGS,
     "qsize($self, /)\n--\n\n"
     "How many messages are inside, 0 after an immediate shutdown: exact while nobody else is running."},
    {"task_done", lf_py_messages_task_done, METH_NOARGS,
     "task_done($self, /)\n--\n\n"
     "Says that one message that was taken is dealt with. ValueError if every message that was put is."},
    LF_PY_FAST(
        "join", lf_py_messages_join,
        "join($self, /, timeout=None)\n--\n\n"
        "Waits until `task_done` was called for every message that was put, at most `timeout` seconds (None: for\n"
        "ever). False after the time-out."),
    {"unfinished", lf_py_messages_unfinished, METH_NOARGS,
     "unfinished($self, /)\n--\n\n"
     "How many messages were put and are not dealt with: exact while nobody else is running."},
    LF_PY_FAST("_put_message", lf_py_messages_put, NULL), /* put, where a subclass puts something else */
    LF_PY_FAST("_get_converted", lf_py_messages_get_converted, NULL),
    LF_PY_FAST("_get_object", lf_py_messages_get_object, NULL),
    {"_put_plain", (PyCFunction)(void (*)(void))lf_py_messages_put_plain, METH_FASTCALL, NULL},
    {"_put_pieces", lf_py_messages_put_pieces, METH_VARARGS, NULL},
    {"_put_iterator", lf_py_messages_put_iterator, METH_VARARGS, NULL},
    {"_use", lf_py_messages_use, METH_NOARGS, NULL},
    LF_PY_METHODS_BUT_CLOSE{"close", lf_py_messages_close, METH_NOARGS, LF_PY_CLOSE_DOC},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_message_ring_properties[] = {LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot lf_py_message_ring_slots[] = {
    {Py_tp_new, (void *)lf_py_message_ring_new},
    {Py_tp_dealloc, (void *)lf_py_messages_dealloc},
    {Py_tp_methods, lf_py_message_ring_methods},
    {Py_tp_getset, lf_py_message_ring_properties},
    {0, NULL},
};
static PyType_Spec lf_py_message_ring_spec = {
    .name = "lockfree.MessageRing",
    .basicsize = sizeof(struct lf_py_messages),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lf_py_message_ring_slots,
};

#endif
