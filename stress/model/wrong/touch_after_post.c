/* touch_after_post: the poster touches the semaphore after the post that lets its owner free it (glibc
 * bug 12674). */
/* expect: data race | use after free */
#include <stdatomic.h>
#include <stdlib.h>

#include "lockfree_model.h"
#include "seam.h"

static struct semaphore {
    atomic_int count, posts;
} *semaphore;

static void setup(void) { semaphore = calloc(1, sizeof *semaphore); }

static void owner(void) {
    struct semaphore *s = semaphore;
    while (atomic_load_explicit(&s->count, memory_order_acquire) == 0)
        lf_model_pause();
    free(s);
}

static void poster(void) {
    struct semaphore *s = semaphore;
#ifdef RIGHT
    atomic_fetch_add_explicit(&s->posts, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->count, 1, memory_order_release);
#else
    atomic_fetch_add_explicit(&s->count, 1, memory_order_release);
    atomic_fetch_add_explicit(&s->posts, 1, memory_order_relaxed);
#endif
}

LF_MODEL_CLIENT(touch_after_post, .setup = setup, .threads = {owner, poster});
