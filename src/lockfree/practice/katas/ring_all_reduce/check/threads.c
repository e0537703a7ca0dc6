/* On the real machine: four ranks, several vectors one after another, each caller going on with its buffer at once. */
#include <assert.h>
#include <pthread.h>

#define LINK_ASSERT(condition) assert((condition) && "a message has 1 to LINK_WORDS words and is given back once")
#include "links.h"

enum { RANKS = 4, WORDS = 203, ROUNDS = 30 };

static int64_t words_of[RANKS][WORDS];

static void *reduce(void *number) {
    uint32_t rank = *(uint32_t *)number;
    int64_t *words = words_of[rank];
    for (int64_t round = 0; round < ROUNDS; round++) {
        uint32_t count = WORDS - (uint32_t)round * 6;
        for (uint32_t i = 0; i < count; i++)
            words[i] = (int64_t)(rank + 1) * i + round;
        ring_all_reduce(rank, RANKS, words, count, &links[rank], &links[(rank + RANKS - 1) % RANKS]);
        for (uint32_t i = 0; i < count; i++)
            assert(words[i] == 10 * (int64_t)i + RANKS * round && "four ranks: each word is the sum of all");
    }
    return NULL;
}

int main(void) {
    pthread_t threads[RANKS];
    uint32_t numbers[RANKS] = {0, 1, 2, 3};
    for (int i = 0; i < RANKS; i++)
        link_init(&links[i], MOST_SLOTS);
    for (int i = 0; i < RANKS; i++) {
        int failed = pthread_create(&threads[i], NULL, reduce, &numbers[i]);
        assert(!failed);
    }
    for (int i = 0; i < RANKS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
