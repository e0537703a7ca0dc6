/* fails: model G5 */
/* The sum goes down the line of ranks, and back to all of them: right, but the vector is sent whole. */
#include "ring_all_reduce.h"

static void send_all(struct link *to, const int64_t *words, uint32_t count) {
    for (uint32_t at = 0; at < count;) {
        uint32_t piece = count - at < LINK_WORDS ? count - at : LINK_WORDS;
        link_send(to, words + at, piece);
        at += piece;
    }
}

static void take_all(struct link *from, int64_t *words, uint32_t count, int add) {
    for (uint32_t at = 0; at < count;) {
        uint32_t piece;
        const int64_t *received = link_receive(from, &piece);
        for (uint32_t i = 0; i < piece; i++)
            words[at + i] = (add ? words[at + i] : 0) + received[i];
        link_done(from);
        at += piece;
    }
}

void ring_all_reduce(uint32_t rank, uint32_t ranks, int64_t *words, uint32_t count, struct link *to_next,
                     struct link *from_previous) {
    if (ranks == 1)
        return;
    if (rank > 0)
        take_all(from_previous, words, count, 1);
    send_all(to_next, words, count);
    if (rank < ranks - 1)
        take_all(from_previous, words, count, 0);
    if (rank < ranks - 2)
        send_all(to_next, words, count);
    link_flush(to_next);
}
