/* The links: a ring of descriptors with one slot or two, and a count of the words that were sent. Semaphores count the free
 * and the filled slots, so a wait of a link is one step for the model checker. */
#include <semaphore.h>
#include <stddef.h>

#include "ring_all_reduce.h"

enum { MOST_SLOTS = 2, MOST_RANKS = 4 };

struct link {
    sem_t free, filled;
    uint32_t slots;
    struct {
        const int64_t *words;
        uint32_t count;
    } messages[MOST_SLOTS];
    uint32_t sent, words_sent; /* the sender's */
    uint32_t taken, done;      /* the receiver's */
};

static struct link links[MOST_RANKS];

#ifndef LINK_ASSERT
#define LINK_ASSERT(condition) lf_model_assert(condition)
#endif

static void link_init(struct link *link, uint32_t slots) {
    link->slots = slots;
    sem_init(&link->free, 0, slots);
    sem_init(&link->filled, 0, 0);
}

void link_send(struct link *link, const int64_t *words, uint32_t count) {
    int message_fits = count >= 1 && count <= LINK_WORDS;
    LINK_ASSERT(message_fits);
    sem_wait(&link->free);
    link->messages[link->sent % link->slots].words = words;
    link->messages[link->sent % link->slots].count = count;
    link->sent++;
    link->words_sent += count;
    sem_post(&link->filled);
}

const int64_t *link_receive(struct link *link, uint32_t *count) {
    if (link->taken == link->done) {
        sem_wait(&link->filled);
        link->taken++;
    }
    *count = link->messages[link->done % link->slots].count;
    return link->messages[link->done % link->slots].words;
}

void link_done(struct link *link) {
    int something_to_give_back = link->taken != link->done;
    LINK_ASSERT(something_to_give_back);
    link->done++;
    sem_post(&link->free);
}

void link_flush(struct link *link) {
    for (uint32_t slot = 0; slot < link->slots; slot++)
        sem_wait(&link->free);
    for (uint32_t slot = 0; slot < link->slots; slot++)
        sem_post(&link->free);
}
