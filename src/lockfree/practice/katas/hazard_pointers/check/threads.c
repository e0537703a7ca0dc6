/* On the real machine: three readers and a writer; things are really freed. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "hazard_pointers.h"

enum { READERS = 3, VERSIONS = 20000 };

static struct cell *cell;
static _Atomic int writing = 1;
static int alive; /* the writer's */

void thing_free(struct thing *thing) {
    assert(thing->word[1] == ~thing->word[0] && "a thing is freed once");
    memset(thing, 0, sizeof *thing);
    free(thing);
    alive--;
}

static struct thing *new_thing(uint64_t version) {
    struct thing *thing = malloc(sizeof *thing);
    assert(thing != NULL);
    *thing = (struct thing){{version, ~version}};
    alive++;
    return thing;
}

static void *read_all(void *number) {
    uint32_t reader = *(uint32_t *)number;
    uint64_t last = 0;
    while (atomic_load(&writing)) {
        const struct thing *thing = cell_acquire(cell, reader);
        uint64_t version = thing->word[0];
        if (version % 16 == 0)
            sched_yield();
        assert(thing->word[1] == ~version && "four threads: what a reader holds is not freed");
        assert(version >= last && "four threads: versions never get older");
        last = version;
        cell_release(cell, reader);
    }
    return NULL;
}

int main(void) {
    size_t bytes = (cell_size(READERS) + 63) / 64 * 64;
    cell = aligned_alloc(64, bytes);
    assert(cell != NULL);
    memset(cell, 0, bytes);
    cell_init(cell, READERS, new_thing(1));
    pthread_t threads[READERS];
    uint32_t numbers[READERS] = {0, 1, 2};
    for (int i = 0; i < READERS; i++) {
        int failed = pthread_create(&threads[i], NULL, read_all, &numbers[i]);
        assert(!failed);
    }
    for (uint64_t version = 2; version < VERSIONS; version++) {
        cell_replace(cell, new_thing(version));
        assert(alive <= READERS + 1 && "four threads: few old things wait");
        if (version % 32 == 0)
            sched_yield();
    }
    atomic_store(&writing, 0);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    cell_replace(cell, new_thing(VERSIONS));
    assert(alive == 1 && "in the end only the present thing is left");
    return 0;
}
