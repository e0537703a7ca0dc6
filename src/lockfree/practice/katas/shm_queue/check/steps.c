/* A process is killed before each of its instructions, in memory that is really shared. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "shm_queue.h"
#include "steps.h"

enum { VICTIM = 1, SURVIVOR = 2, ROOM = 2 };

static struct shm_queue *queue;
static struct note {
    uint32_t returned, got;
} *note;
static int dead;

int shm_alive(uint32_t process) { return process >= 1 && process <= SHM_MOST && !(dead && process == VICTIM); }

static void *shared(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(memory != MAP_FAILED);
    return memory;
}

static void fresh(uint32_t inside) {
    if (queue != NULL)
        munmap(queue, shm_size(ROOM)), munmap(note, sizeof *note);
    dead = 0;
    queue = shared(shm_size(ROOM));
    note = shared(sizeof *note);
    shm_init(queue, ROOM);
    for (uint32_t i = 0; i < inside; i++) {
        int put = shm_put(queue, SURVIVOR, 10 + i);
        assert(put);
    }
}
static void empty(void) { fresh(0); }
static void one_inside(void) { fresh(1); }
static void two_inside(void) { fresh(2); }

static void put_one(void) {
    int put = shm_put(queue, VICTIM, 20);
    note->returned = put ? 1 : 2;
}
static void get_one(void) {
    uint32_t value = 0;
    int got = shm_get(queue, VICTIM, &value);
    note->got = value;
    note->returned = got ? 1 : 2;
}

/* What comes out, in order; then the queue is empty and has room for ROOM records. */
static uint32_t drain(uint32_t *values) {
    uint32_t count = 0;
    dead = 1;
    while (count <= ROOM && shm_get(queue, SURVIVOR, &values[count]))
        count++;
    assert(count <= ROOM && "[H3] no more comes out than was put");
    for (uint32_t i = 0; i < ROOM; i++) {
        int put = shm_put(queue, SURVIVOR, 30 + i);
        assert(put && "[H4] an empty queue has room for all its records");
    }
    for (uint32_t i = 0, value = 0; i < ROOM; i++) {
        int got = shm_get(queue, SURVIVOR, &value);
        assert(got && value == 30 + i && "[H3] after a death: in order, nothing twice");
    }
    return count;
}
static void after_put(void) {
    uint32_t values[ROOM + 1] = {0}, count = drain(values);
    assert((count == 0 || values[0] == 20) && count <= 1 && "[H3] what was put comes out, once and whole");
    assert((count == 1 || note->returned == 0) && "[H3] a put that returned is not lost");
}
static void after_put_behind_one(void) {
    uint32_t values[ROOM + 1] = {0}, count = drain(values);
    assert(count >= 1 && values[0] == 10 && "[H3] what was there before is still there");
    assert((count == 1 || values[1] == 20) && "[H3] what was put comes out, once and whole");
    assert((count == 2 || note->returned == 0) && "[H3] a put that returned is not lost");
}
static void after_get(void) {
    uint32_t values[ROOM + 1] = {0}, count = drain(values);
    assert(count >= 1 && values[count - 1] == 11 && "[H3] what nobody took is still there");
    assert((count == 1 || (values[0] == 10 && note->returned == 0)) && "[H3] what was taken does not come again");
}

const struct steps_case steps_cases[] = {
    {"put_into_empty", empty, put_one, after_put},
    {"put_behind_one", one_inside, put_one, after_put_behind_one},
    {"get_of_two", two_inside, get_one, after_get},
    {0},
};
