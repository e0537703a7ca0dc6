/* What the clients share: events that show their number, and whether they are torn. */
#include "lockfree_model.h"
#include "overwriting_ring.h"

static struct latest *ring;
static uint64_t base;

static inline void make(uint32_t slots, uint64_t first) {
    base = first;
    ring = lf_model_shared(latest_size(slots));
    latest_init(ring, slots, first);
}

static inline void put(uint64_t number) {
    struct event event = {{number, ~number}};
    latest_put(ring, &event);
}

static inline enum latest_answer get(uint64_t number) {
    struct event event = {{0, 0}};
    enum latest_answer answer = latest_get(ring, number, &event);
    if (answer == LATEST_FOUND) {
        int whole = event.word[1] == ~event.word[0];
        lf_model_assert(whole);
        int asked_for = event.word[0] == number;
        lf_model_assert(asked_for);
    }
    return answer;
}
