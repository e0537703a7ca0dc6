/* A letter box for one letter: one thread puts letters in, another one takes them out. */
#ifndef MESSAGE_PASSING_H
#define MESSAGE_PASSING_H

#include <stdatomic.h>
#include <stdint.h>

struct letter {
    uint64_t number, text; /* plain: a read while another thread writes gets anything */
};

struct letter_box {
    _Atomic int full; /* 0: empty, and so it begins */
    struct letter inside;
};

/* By the sender alone, at once: 1 done, 0 the last letter is still there. */
int letter_put(struct letter_box *box, const struct letter *letter);
/* By the receiver alone, at once: 1 done, 0 nothing is there. */
int letter_take(struct letter_box *box, struct letter *letter);

#endif
