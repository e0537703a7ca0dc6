/* methods.h: the table of a BlockPool's methods, and its type. Included by core.glue.c alone. */
#ifndef LOCKFREE_PY_BLOCK_POOL_METHODS_H
#define LOCKFREE_PY_BLOCK_POOL_METHODS_H

static PyMethodDef lf_py_block_pool_methods[] = {
    LF_PY_FAST(
        "free", lf_py_pool_free,
        "free($self, /, blocks, generations=None)\n--\n\n"
        "Takes one reference of each block away; with the last one a block is free.\n\n"
        "`generations`: what they must be (see `generations()`), to find a use after free. ValueError if a block "
        "is not\n"
        "the caller's; it names the block and its state. Then nothing is freed, with one exception. If a block "
        "stands\n"
        "in the list more often than it has references, the blocks before it are freed."),
    LF_PY_FAST("retain", lf_py_pool_retain,
               "retain($self, /, blocks)\n--\n\n"
               "Gives each block one reference more, or none of them: they are freed once more. For shared prefixes."),
    LF_PY_FAST("reclaim", lf_py_pool_reclaim,
               "reclaim($self, /, lease)\n--\n\n"
               "Frees all blocks of another process, alive or dead; how many. See `supersede`."),
    {"shutdown", lf_py_pool_shutdown, METH_NOARGS,
     "shutdown($self, /)\n--\n\n"
     "Ends `alloc` for every process: it raises Closed, also where somebody waits. Blocks can still be freed."},
    {"_alloc", (PyCFunction)(void (*)(void))lf_py_pool_alloc, METH_FASTCALL, NULL},
    {"_seal", lf_py_pool_seal, METH_O, NULL},
    LF_PY_FAST("_adopt_batch", lf_py_pool_adopt, NULL),
    LF_PY_FAST("_supersede", lf_py_pool_supersede, NULL),
    {"_fill", lf_py_pool_fill, METH_VARARGS, NULL},
    {"_state", lf_py_pool_state, METH_O, NULL},
    {"_use", lf_py_pool_use, METH_VARARGS, NULL},
    LF_PY_SHARED_METHODS{NULL, NULL, 0, NULL},
};
static PyGetSetDef lf_py_block_pool_properties[] = {
    {"available", lf_py_pool_available, NULL, "How many blocks are free: exact while nobody else runs. O(1).", NULL},
    {"lease", lf_py_pool_lease, NULL,
     "What names this process's lease for `supersede` by others; a new one after each attach.", NULL},
    LF_PY_SHARED_PROPERTIES{NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot lf_py_block_pool_slots[] = {
    {Py_tp_new, (void *)lf_py_block_pool_new},
    {Py_tp_dealloc, (void *)lf_py_pool_dealloc},
    {Py_tp_methods, lf_py_block_pool_methods},
    {Py_tp_getset, lf_py_block_pool_properties},
    {0, NULL},
};
static PyType_Spec lf_py_block_pool_spec = {
    .name = "lockfree.BlockPool",
    .basicsize = sizeof(struct lf_py_pool),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lf_py_block_pool_slots,
};

#endif
