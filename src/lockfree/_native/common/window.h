/* window.h: a large record in hand, seen in place: a second mapping of the pages of its slot.
 *
 * Contract
 *   A window leads into the ring while its record is in hand. Before the slot is published, freed or given back,
 *   lf_py_window_end looks whether anybody still sees it. If so, its pages are replaced by a private copy, in one step: a
 *   view, an array, or a copy under way in another thread reads and writes that from then on. If nobody sees it, the
 *   mapping stays for the next record in the same slot.
 *   The end of the handle (lf_py_windows_end) replaces the pages of all its windows, in whatever hand they are.
 *   There are at most LF_PY_WINDOWS. Where there are more, or where the system refuses a second mapping, the caller copies.
 * Fork: a child made by fork() finds a copy of what the parent had in hand, as of the fork. The copy is made before the
 *   fork, and only for windows in hand. A child made by a bare clone system call runs no handler and shares the pages. */
#ifndef LOCKFREE_PY_WINDOW_H
#define LOCKFREE_PY_WINDOW_H

#include "common/object.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#define LF_PY_WINDOW_LEAST 16384u /* bytes: records that are not larger are copied */
#define LF_PY_WINDOWS 1024u       /* of this process; the system allows 65,530 mappings */
#define LF_PY_PAGE ((uintptr_t)4096)

struct lf_py_window {
    char *base; /* NULL: none */
    size_t span;
    size_t offset; /* of the record in it */
    size_t size;
    const void *handle;
    int64_t slot;
    int is_cut;                 /* its pages are not the ring's any more */
    struct lf_py_window *next;  /* of those in hand */
    struct lf_py_window **link; /* NULL: not in hand */
    void *copy;                 /* for the child of the fork that is under way */
};

static struct lf_py_window *lf_py_windows_in_hand; /* and all windows in it: guarded by the lock */
static uint32_t lf_py_windows_lock, lf_py_windows_mapped;

static void lf_py_lock_windows(void) {
    while (lf_exchange_acquire(&lf_py_windows_lock, 1u))
        sched_yield();
}
static void lf_py_unlock_windows(void) { lf_store_release(&lf_py_windows_lock, 0u); }

/* ---- pages of one's own ---- */

/* A private copy of the record in the window's place in its pages; NULL if the system refuses. */
static void *lf_py_pages(const struct lf_py_window *w) {
    char *copy = (char *)mmap(NULL, w->span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return NULL;
    memcpy(copy + w->offset, w->base + w->offset, w->size);
    return copy;
}

/* Puts pages of one's own in the place of the window's, in one step. */
static int lf_py_window_replace(struct lf_py_window *w, void *by) {
    if (mremap(by, w->span, w->span, MREMAP_MAYMOVE | MREMAP_FIXED, w->base) != MAP_FAILED)
        return 0;
    munmap(by, w->span);
    return -1;
}

/* ---- fork ---- */

static void lf_py_windows_before_fork(void) {
    lf_py_lock_windows();
    for (struct lf_py_window *w = lf_py_windows_in_hand; w != NULL; w = w->next)
        w->copy = w->is_cut ? NULL : lf_py_pages(w);
}
static void lf_py_windows_in_parent(void) {
    for (struct lf_py_window *w = lf_py_windows_in_hand; w != NULL; w = w->next)
        if (w->copy != NULL)
            munmap(w->copy, w->span);
    lf_py_unlock_windows();
}
static void lf_py_windows_in_child(void) {
    for (struct lf_py_window *w = lf_py_windows_in_hand; w != NULL; w = w->next) {
        if (!w->is_cut && (w->copy == NULL || lf_py_window_replace(w, w->copy) != 0))
            mprotect(w->base, w->span, PROT_NONE); /* the system refused: the pages cannot be touched any more */
        w->is_cut = 1;
    }
    lf_py_unlock_windows();
}

/* ---- in hand ---- */

static void lf_py_window_take(struct lf_py_window *w) {
    lf_py_lock_windows();
    w->next = lf_py_windows_in_hand;
    w->link = &lf_py_windows_in_hand;
    if (w->next != NULL)
        w->next->link = &w->next;
    lf_py_windows_in_hand = w;
    lf_py_unlock_windows();
}

/* With the lock. */
static void lf_py_window_let_go(struct lf_py_window *w) {
    if (w->link != NULL && (*w->link = w->next) != NULL)
        w->next->link = w->link;
    w->link = NULL;
}

/* With the lock. 0, or -1: the system refused, and the window still leads into the ring. */
static int lf_py_window_cut(struct lf_py_window *w) {
    void *copy = w->is_cut ? NULL : lf_py_pages(w);
    if (!w->is_cut && (copy == NULL || lf_py_window_replace(w, copy) != 0))
        return -1;
    w->is_cut = 1;
    return 0;
}

/* The record is about to leave the hand. 0, or -1 with MemoryError: it is still in hand. Other threads run while a long
 * one is copied, with the lock taken: nobody who has it waits for the GIL. */
static int lf_py_window_end(struct lf_py_window *w, int is_seen) {
    PyThreadState *saved = is_seen && w->size > LF_PY_LONG_COPY ? PyEval_SaveThread() : NULL;
    lf_py_lock_windows();
    int failed = is_seen && lf_py_window_cut(w) != 0;
    if (!failed)
        lf_py_window_let_go(w);
    lf_py_unlock_windows();
    if (saved != NULL)
        PyEval_RestoreThread(saved);
    if (failed)
        PyErr_SetString(PyExc_MemoryError, "no memory to keep what was made of the view: drop it, and call again");
    return failed ? -1 : 0;
}

static void lf_py_windows_cut(const void *handle) {
    lf_py_lock_windows();
    for (struct lf_py_window *w = lf_py_windows_in_hand; w != NULL; w = w->next)
        if (w->handle == handle && lf_py_window_cut(w) != 0)
            w->is_cut = mprotect(w->base, w->span, PROT_NONE) == 0;
    lf_py_unlock_windows();
}

/* The handle is about to end. Nobody is inside. Where the system refuses a copy, the pages cannot be touched any more. */
static void lf_py_windows_end(const void *handle) {
    if (lf_load_relaxed(&lf_py_windows_mapped) == 0)
        return;
    LF_PY_WITHOUT_GIL(lf_py_windows_cut(handle));
}

/* ---- mapping ---- */

static void lf_py_windows_begin(void) {
    pthread_atfork(lf_py_windows_before_fork, lf_py_windows_in_parent, lf_py_windows_in_child);
}

/* The address of the payload in a second mapping, in hand; NULL if it cannot be had. Inside. */
static char *lf_py_window_map(struct lf_py_window *w, const void *handle, int64_t slot, unsigned char *payload,
                              uint64_t size) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uintptr_t at = (uintptr_t)payload, first = at & ~(LF_PY_PAGE - 1);
    size_t span = (size_t)lf_round_up(at + size - first, LF_PY_PAGE);
    pthread_once(&once, lf_py_windows_begin);
    if (lf_fetch_add_relaxed(&lf_py_windows_mapped, 1u) >= LF_PY_WINDOWS) {
        lf_fetch_sub_seq_cst(&lf_py_windows_mapped, 1u);
        return NULL;
    }
    void *base = mremap((void *)first, 0, span, MREMAP_MAYMOVE); /* of a shared mapping: a second one of its pages */
    if (base == MAP_FAILED) {
        lf_fetch_sub_seq_cst(&lf_py_windows_mapped, 1u);
        return NULL;
    }
    *w = (struct lf_py_window){
        .base = (char *)base, .span = span, .offset = at - first, .size = size, .handle = handle, .slot = slot};
    lf_py_window_take(w);
    return w->base + (at - first);
}

static void lf_py_window_unmap(struct lf_py_window *w) {
    lf_py_lock_windows();
    lf_py_window_let_go(w);
    lf_py_unlock_windows();
    if (w->span > LF_PY_LARGE)
        LF_PY_WITHOUT_GIL(munmap(w->base, w->span));
    else
        munmap(w->base, w->span);
    lf_fetch_sub_seq_cst(&lf_py_windows_mapped, 1u);
}

#endif
