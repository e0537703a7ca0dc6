/* What the clients share. A process is a thread of the model; thread t is process t. */
#include <assert.h>

#include "lockfree_model.h"
#include "shm_queue.h"

int lf_model_participant_alive(uint32_t participant);

int shm_alive(uint32_t process) { return process >= 1 && process <= SHM_MOST && lf_model_participant_alive(process); }

enum { LAST = 7 }; /* the process that looks in the end */

static struct shm_queue *queue;
static uint32_t capacity;

static inline void make(uint32_t records) {
    capacity = records;
    queue = lf_model_shared(shm_size(records));
    shm_init(queue, records);
}

static inline uint32_t self(void) { return lf_model_thread() ? (uint32_t)lf_model_thread() : LAST; }

static inline int put(uint32_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    int done = shm_put(queue, self(), value);
    lf_model_return(done ? 0 : LF_MODEL_FULL);
    return done;
}

static inline int get(void) {
    uint32_t value = 0;
    lf_model_call(LF_MODEL_GET, 0);
    int done = shm_get(queue, self(), &value);
    lf_model_return(done ? value : LF_MODEL_EMPTY);
    return done;
}

/* When nobody else is busy: everything comes out, and there is room for `capacity` records again. */
static inline void settle(void) {
    for (uint32_t i = 0; i <= capacity && get(); i++)
        ;
    for (uint32_t i = 0; i < capacity; i++)
        lf_model_assert(shm_put(queue, self(), 100 + i) && "[H4] an empty queue has room for all its records");
    lf_model_assert(!shm_put(queue, self(), 200) && "[H6] and for no more");
    for (uint32_t i = 0; i < capacity; i++) {
        uint32_t value = 0;
        lf_model_assert(shm_get(queue, self(), &value) && value == 100 + i && "[H5] the oldest comes first");
    }
}
