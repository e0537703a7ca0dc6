/* On the real machine: four threads copy, use and drop one object after another. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "refcount.h"

enum { THREADS = 4, OBJECTS = 3000 };

struct object {
    struct refcount count;
    _Atomic int destroyed;
    uint64_t body;
};
static struct object objects[OBJECTS];

static void drop(struct object *object) {
    if (ref_drop(&object->count)) {
        int before = atomic_fetch_add(&object->destroyed, 1);
        assert(before == 0 && "four threads: an object is destroyed once");
        object->body = 0;
    }
}

static void *use_all(void *none) {
    for (int i = 0; i < OBJECTS; i++) {
        struct object *object = &objects[i];
        int copied = ref_copy(&object->count);
        assert(copied && object->body == 5 && "four threads: an owner's object is there");
        drop(object);
        if (i % 16 == 0)
            sched_yield();
        drop(object);
        if (ref_try(&object->count)) {
            assert(object->body == 5 && "four threads: who gets in from outside finds the object");
            drop(object);
        }
    }
    return none;
}

int main(void) {
    for (int i = 0; i < OBJECTS; i++) {
        ref_init(&objects[i].count, THREADS);
        objects[i].body = 5;
    }
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        int failed = pthread_create(&threads[i], NULL, use_all, NULL);
        assert(!failed);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < OBJECTS; i++)
        assert(atomic_load(&objects[i].destroyed) == 1 && "four threads: each object is destroyed");
    return 0;
}
