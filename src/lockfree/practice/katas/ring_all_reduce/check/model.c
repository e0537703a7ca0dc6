#include "lockfree_model.h"

#include "links.h"

static uint32_t ranks, count;
static int64_t *words_of[MOST_RANKS];

static void make(uint32_t of_ranks, uint32_t words, uint32_t slots) {
    ranks = of_ranks;
    count = words;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        link_init(&links[rank], slots);
        words_of[rank] = lf_model_shared(count * sizeof(int64_t) + 1);
        for (uint32_t i = 0; i < count; i++)
            words_of[rank][i] = (int64_t)((i + 1) << 4 * rank);
    }
}

static void reduce(uint32_t rank) {
    int64_t *words = words_of[rank];
    struct link *to = &links[rank];
    ring_all_reduce(rank, ranks, words, count, to, &links[(rank + ranks - 1) % ranks]);
    for (uint32_t i = 0; i < count; i++) {
        int64_t sum = 0;
        for (uint32_t other = 0; other < ranks; other++)
            sum += (int64_t)((i + 1) << 4 * other);
        int sum_of_all = words[i] == sum;
        lf_model_assert(sum_of_all);
    }
    uint32_t most = 2 * (ranks - 1) * ((count + ranks - 1) / ranks);
    int few_words_sent = to->words_sent <= most;
    lf_model_assert(few_words_sent);
    for (uint32_t i = 0; i < count; i++)
        words[i] = -1; /* the caller goes on with its buffer */
}

static void rank_0(void) { reduce(0); }
static void rank_1(void) { reduce(1); }
static void rank_2(void) { reduce(2); }

static void two_of_2(void) { make(2, 2, 1); }
static void two_of_6(void) { make(2, 6, 1); }
static void two_of_7(void) { make(2, 7, 2); }
static void two_of_1(void) { make(2, 1, 1); }
static void two_of_3(void) { make(2, 3, 1); }
static void two_of_0(void) { make(2, 0, 1); }
static void three_of_3(void) { make(3, 3, 1); }
static void three_of_4(void) { make(3, 4, 1); }
static void three_of_2(void) { make(3, 2, 2); }
static void three_of_9(void) { make(3, 9, 1); }

#define RANKS(name, begin, ...) LF_MODEL_CLIENT(name, .setup = begin, .threads = {__VA_ARGS__})

RANKS(ring_of_2, two_of_2, rank_0, rank_1);
RANKS(ring_of_3, three_of_3, rank_0, rank_1, rank_2);
RANKS(pieces_of_6, two_of_6, rank_0, rank_1);
RANKS(pieces_of_9, three_of_9, rank_0, rank_1, rank_2);
RANKS(uneven_0, two_of_0, rank_0, rank_1);
RANKS(uneven_1, two_of_1, rank_0, rank_1);
RANKS(uneven_3, two_of_3, rank_0, rank_1);
RANKS(uneven_7, two_of_7, rank_0, rank_1);
RANKS(uneven_2, three_of_2, rank_0, rank_1, rank_2);
RANKS(uneven_4, three_of_4, rank_0, rank_1, rank_2);
