/* On the real machine: two readers follow a writer; and a number that is 65,536 laps old. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "overwriting_ring.h"

enum { EVENTS = 60000, LAPS = 70000 };

static struct latest *ring;

static void make(uint32_t slots, uint64_t first) {
    size_t bytes = (latest_size(slots) + 63) / 64 * 64;
    ring = aligned_alloc(64, bytes);
    assert(ring != NULL);
    memset(ring, 0, bytes);
    latest_init(ring, slots, first);
}

static void put(uint64_t number) {
    struct event event = {{number, ~number}};
    latest_put(ring, &event);
}

static void laps(void) {
    make(1, 0);
    for (uint64_t number = 0; number < LAPS; number++) {
        put(number);
        struct event event;
        assert((number == 0 || latest_get(ring, 0, &event) == LATEST_LOST) && "an old number stays lost for ever");
    }
    free(ring);
}

static void *write_all(void *none) {
    for (uint64_t number = 0; number < EVENTS; number++) {
        put(number);
        if (number % 64 == 0)
            sched_yield();
    }
    return none;
}

static void *follow(void *none) {
    for (uint64_t number = 0; number < EVENTS;) {
        struct event event;
        enum latest_answer answer = latest_get(ring, number, &event);
        if (answer == LATEST_LATER) {
            sched_yield();
            continue;
        }
        assert((answer == LATEST_LOST || (event.word[0] == number && event.word[1] == ~number)) &&
               "three threads: what is found is whole, and the right one");
        number++;
    }
    return none;
}

int main(void) {
    laps();
    make(8, 0);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        int failed = pthread_create(&threads[i], NULL, i == 0 ? write_all : follow, NULL);
        assert(!failed);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert(latest_next(ring) == EVENTS && "three threads: all events are counted");
    free(ring);
    return 0;
}
