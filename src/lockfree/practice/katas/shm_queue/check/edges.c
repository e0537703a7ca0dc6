#include "queue.h"

static void rounds(void) {
    uint32_t in = 0, out = 0, value;
    for (uint32_t turn = 0; turn < 3 * capacity + 3; turn++) {
        lf_model_assert((in - out > 0 || !shm_get(queue, 1, &value)) && "[H5] an empty queue says so");
        while (in - out < capacity) {
            lf_model_assert(shm_put(queue, 1, in) && "[H6] there is room");
            in++;
        }
        lf_model_assert(!shm_put(queue, 1, in) && "[H6] a full queue says so");
        for (uint32_t i = 0; i <= turn % capacity; i++, out++)
            lf_model_assert(shm_get(queue, 1, &value) && value == out && "[H5] the oldest comes first");
    }
}
static void of_1(void) { make(1); }
static void of_2(void) { make(2); }
static void of_3(void) { make(3); }
static void of_8(void) { make(8); }

LF_MODEL_CLIENT(edge_1, .setup = of_1, .threads = {rounds});
LF_MODEL_CLIENT(edge_2, .setup = of_2, .threads = {rounds});
LF_MODEL_CLIENT(edge_3, .setup = of_3, .threads = {rounds});
LF_MODEL_CLIENT(edge_8, .setup = of_8, .threads = {rounds});
