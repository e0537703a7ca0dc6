#include "box.h"

static void in_and_out(void) {
    lf_model_assert(!take());
    for (uint64_t number = 1; number < 8; number += 2) {
        lf_model_assert(put(number));
        lf_model_assert(!put(number + 1));
        lf_model_assert(take());
        lf_model_assert(!take());
    }
}

LF_MODEL_CLIENT(edge_in_and_out, .threads = {in_and_out}, .spec = &lf_model_fifo, .capacity = 1);
