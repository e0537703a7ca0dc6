/* The sequence lock as Boehm (2012) discusses it: with fences; without them; and with a plain copy. */
#include <stdatomic.h>

#include "lockfree_model.h"

static _Atomic unsigned count;
static _Atomic int first, second;
static int plain_first, plain_second;

static void fence(int wanted, memory_order order) {
    if (wanted)
        atomic_thread_fence(order);
}

static void write_words(int fences) {
    atomic_store_explicit(&count, 1, memory_order_relaxed);
    fence(fences, memory_order_release);
    atomic_store_explicit(&first, 1, memory_order_relaxed);
    atomic_store_explicit(&second, 1, memory_order_relaxed);
    atomic_store_explicit(&count, 2, memory_order_release);
}

static void read_words(int fences) {
    unsigned before = atomic_load_explicit(&count, memory_order_acquire);
    int one = atomic_load_explicit(&first, memory_order_relaxed),
        two = atomic_load_explicit(&second, memory_order_relaxed);
    fence(fences, memory_order_acquire);
    if (before % 2 == 0 && atomic_load_explicit(&count, memory_order_relaxed) == before)
        lf_model_assert(one == two);
}

static void write_fenced(void) { write_words(1); }
static void read_fenced(void) { read_words(1); }
static void write_bare(void) { write_words(0); }
static void read_bare(void) { read_words(0); }

static void write_plain(void) {
    atomic_store(&count, 1);
    plain_first = plain_second = 1;
    atomic_store(&count, 2);
}
static void read_plain(void) {
    unsigned before = atomic_load(&count);
    int one = plain_first, two = plain_second;
    if (before % 2 == 0 && atomic_load(&count) == before)
        lf_model_assert(one == two);
}

LF_MODEL_CLIENT(seqlock_fences, .threads = {write_fenced, read_fenced});
LF_MODEL_CLIENT(seqlock_writer_bare, .threads = {write_bare, read_fenced});
LF_MODEL_CLIENT(seqlock_reader_bare, .threads = {write_fenced, read_bare});
LF_MODEL_CLIENT(seqlock_plain, .threads = {write_plain, read_plain});
