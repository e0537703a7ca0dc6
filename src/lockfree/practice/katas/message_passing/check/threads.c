/* On the real machine: 4,000 letters. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>

#include "message_passing.h"

enum { LETTERS = 4000 };

static struct letter_box box;

static void *send(void *none) {
    for (uint64_t number = 1; number <= LETTERS; number++) {
        struct letter letter = {number, ~number};
        while (!letter_put(&box, &letter))
            sched_yield();
    }
    return none;
}

int main(void) {
    pthread_t sender;
    int failed = pthread_create(&sender, NULL, send, NULL);
    assert(!failed);
    for (uint64_t number = 1; number <= LETTERS; number++) {
        struct letter letter;
        while (!letter_take(&box, &letter))
            sched_yield();
        assert(letter.text == ~letter.number && "each letter is whole");
        assert(letter.number == number && "each letter comes once, in order");
    }
    pthread_join(sender, NULL);
    return 0;
}
