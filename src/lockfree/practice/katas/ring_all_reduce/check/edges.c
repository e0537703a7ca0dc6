#include "lockfree_model.h"

#include "links.h"

static int64_t words[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static void alone(void) {
    for (uint32_t count = 0; count <= 8; count++)
        ring_all_reduce(0, 1, words, count, NULL, NULL);
    for (int i = 0; i < 8; i++)
        lf_model_assert(words[i] == i + 1);
}

LF_MODEL_CLIENT(edge_alone, .threads = {alone});
