/* methods.h: the table of a BroadcastRing's methods, and its type. Included by core.glue.c alone. */
#ifndef LOCKFREE_PY_BROADCAST_METHODS_H
#define LOCKFREE_PY_BROADCAST_METHODS_H

static PyMethodDef lf_py_broadcast_ring_methods[] = {
    LF_PY_FAST("put", lf_py_broadcast_put,
               "put($self, /, message, block=True, timeout=None, to=None)\n--\n\n"
               "Puts a bytes-like message for every reader, or for the readers `to`: a number or an iterable of them.\n"
               "\n"
               "With `slow=\"wait\"` it waits at most `timeout` seconds (None: for ever) while a reader that has "
               "joined has so\n"
               "much to read that there is no room. Raises queue.Full, which says who is late; RoleTaken if another "
               "thread is\n"
               "the writer; ValueError if the message is longer than `max_message`; Closed after shutdown."),
    LF_PY_FAST("try_put", lf_py_broadcast_try_put,
               "try_put($self, /, message, to=None)\n--\n\n"
               "`put` that never waits; False if there is no room."),
    LF_PY_FAST(
        "put_many", lf_py_broadcast_put_many,
        "put_many($self, /, messages, block=False, timeout=None, to=None)\n--\n\n"
        "Puts messages until there is no room; how many went in. With `block` the first one waits.\n"
        "\n"
        "`messages` is a sequence, of which none goes in if one is too long; a 2-D buffer with a message per row; or "
        "an\n"
        "iterator, of which what does not fit is not taken. An item that is longer than the one before and has no room "
        "is\n"
        "`record` of the queue.Full that is raised, and `put` says how many went in. Readers see them by and by."),
    LF_PY_FAST("join", lf_py_broadcast_join,
               "join($self, /, reader=None)\n--\n\n"
               "Makes the calling thread reader number `reader` (None: any that is free); its number.\n"
               "\n"
               "It gets every message that is put from now on. A thread that has this number joins again: it "
               "skips what it\n"
               "has not read. Raises RoleTaken if the number is another thread's, or if all are."),
    {"leave", lf_py_broadcast_leave, METH_NOARGS,
     "leave($self, /)\n--\n\n"
     "Gives the calling thread's number back. It holds the writer back no longer."},
    {"late", lf_py_broadcast_late, METH_NOARGS,
     "late($self, /)\n--\n\n"
     "(reader, pid, bytes that it has not read) of every reader that has joined, the furthest behind first."},
    {"release_role", lf_py_broadcast_release_role, METH_NOARGS,
     "release_role($self, /)\n--\n\n"
     "Gives the calling thread's role of the writer back: another thread may put then."},
    LF_PY_FAST("shutdown", lf_py_broadcast_shutdown,
               "shutdown($self, /, immediate=False)\n--\n\n"
               "Ends the ring for every process: `put` raises `Closed`, and `get` does once a reader has read what is "
               "inside.\n"
               "\n"
               "With `immediate` at once. Sleepers wake up. It cannot be undone."),
    LF_PY_FAST("get", lf_py_broadcast_get,
               "get($self, /, block=True, timeout=None)\n--\n\n"
               "The next message for the calling thread, as bytes; waits at most `timeout` seconds (None: for ever).\n"
               "\n"
               "Raises queue.Empty; Closed after shutdown, once all is read; Dropped if it fell too far behind "
               "(`slow=\"drop\"`);\n"
               "RuntimeError if it has not joined."),
    {"try_get", lf_py_broadcast_try_get, METH_NOARGS,
     "try_get($self, /)\n--\n\n"
     "`get` that never waits; None if there is no message."},
    LF_PY_FAST("get_many", lf_py_broadcast_get_many,
               "get_many($self, /, n=None, block=False, timeout=None)\n--\n\n"
               "Up to `n` messages (None: all that are there). With `block` it waits for the first one."),
    LF_PY_FAST(
        "peek", lf_py_broadcast_peek,
        "peek($self, /, block=False, timeout=None)\n--\n\n"
        "A view of the next message, or None. Then release(). The writer waits for a reader that does not release."),
    {"release", lf_py_broadcast_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Goes past the message that peek() gave. Its view ends."},
    LF_PY_FAST(
        "read", lf_py_broadcast_read,
        "read($self, /, block=True, timeout=None)\n--\n\n"
        "`with ring.read() as view`: the next message in place, without a copy; it is passed when the block ends.\n"
        "\n"
        "Also when the block raises. What was made of the view (an array) may be kept: it shows memory of its own "
        "then.\n"
        "With `slow=\"drop\"` and `\"overwrite\"` the view shows a copy. queue.Empty as for `get`."),
    LF_PY_FAST("write", lf_py_broadcast_write,
               "write($self, /, length, block=True, timeout=None, to=None)\n--\n\n"
               "`with ring.write(n) as view`: a place for a message of `n` bytes; it is put when the block ends "
               "normally.\n"
               "\n"
               "Nothing is visible before, and nothing stays if the block raises. queue.Full as for `put`."),
    LF_PY_FAST(
        "reserve", lf_py_broadcast_reserve,
        "reserve($self, /, length, block=False, timeout=None)\n--\n\n"
        "A view to write a message of `length` bytes into, or None if there is no room. Then commit() or cancel()."),
    LF_PY_FAST("commit", lf_py_broadcast_commit,
               "commit($self, /, length=None, to=None)\n--\n\n"
               "Puts the first `length` bytes (None: all) of what was written after reserve()."),
    {"cancel", lf_py_broadcast_cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\n"
     "Gives the reservation back. Nothing was visible."},
    {"_put_iterator", lf_py_broadcast_put_iterator, METH_VARARGS, NULL},
    {"_reader_pid", lf_py_broadcast_pid_of, METH_O, NULL},
    {"_wait_readers", lf_py_broadcast_wait_readers, METH_VARARGS, NULL},
    {"_use", lf_py_broadcast_use, METH_NOARGS, NULL},
    LF_PY_METHODS_BUT_CLOSE{"close", lf_py_broadcast_close, METH_NOARGS, LF_PY_CLOSE_DOC},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_broadcast_ring_properties[] = {
    {"writer", lf_py_broadcast_get_writer, NULL, "The pid of the writer; None if there is none.", NULL},
    {"reader", lf_py_broadcast_reader, NULL,
     "The calling thread's number among the readers; None if it has not joined.", NULL},
    {"missed", lf_py_broadcast_get_missed, NULL,
     "Messages that the calling thread has missed since it joined (`slow=\"overwrite\"`), for any reader.", NULL},
    {"joined", lf_py_broadcast_get_joined, NULL, "The numbers of the readers that have joined.", NULL},
    LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot lf_py_broadcast_ring_slots[] = {
    {Py_tp_new, (void *)lf_py_broadcast_ring_new},
    {Py_tp_dealloc, (void *)lf_py_broadcast_dealloc},
    {Py_tp_methods, lf_py_broadcast_ring_methods},
    {Py_tp_getset, lf_py_broadcast_ring_properties},
    {0, NULL},
};
static PyType_Spec lf_py_broadcast_ring_spec = {
    .name = "lockfree.BroadcastRing",
    .basicsize = sizeof(struct lf_py_broadcast),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lf_py_broadcast_ring_slots,
};

#endif
