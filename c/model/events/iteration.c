/* iteration.c: what a thread has read since its last pause: two turns of a waiting loop look alike if they read the same,
 * and an impatient thread (steps/loops.c) reads what it read in its last turn. */
#include "events.h"

#include <string.h>

bool same_iteration(const struct iteration *a, const struct iteration *b) {
    if (!a->pure || !b->pure || a->incomplete || b->incomplete || a->reads != b->reads)
        return false;
    for (int i = 0; i < a->reads; i++)
        if (!same_read(&a->entry[i], &b->entry[i]))
            return false;
    return true;
}

void start_iteration(struct thread *t) {
    t->before = t->now;
    t->now.reads = 0;
    t->now.pure = true;
    t->now.incomplete = false;
}

/* Would the thread see the same values again, if it read the newest stores? */
bool newest_was_read(const struct thread *t) {
    const struct iteration *seen = t->now.reads != 0 ? &t->now : &t->before;
    for (int i = 0; i < seen->reads; i++)
        if (R.event[seen->entry[i].loc->store[seen->entry[i].loc->stores - 1]].value != seen->entry[i].value)
            return false;
    return true;
}

void end_impatience(struct thread *t, bool by_itself) {
    if (!t->impatient)
        return;
    t->impatient = false;
    if (by_itself)
        t->loop->fate = GIVES_UP;
}

/* Does it wait only because this execution did not follow its loop? The one that a token names does not
 * say which loops were followed elsewhere. */
bool could_give_up(const struct thread *t) {
    return t->patient && t->loop->fate != WAITS_FOR_EVER && R.options.replay == NULL;
}

/* What an impatient thread saw here in its last turn: true if there is such a read. */
bool seen_last_turn(const struct thread *t, const struct loc *loc, uint64_t pc, u128 *value) {
    const struct iteration *turn = t->period != 0 ? &t->now : &t->before;
    int at = t->now.reads - t->period;
    if (at < 0 || at >= turn->reads || turn->entry[at].loc != loc || turn->entry[at].place != place_of(t, pc))
        return false;
    *value = turn->entry[at].value;
    return true;
}

void note_read(struct thread *t, struct loc *loc, u128 value, uint64_t pc) {
    struct iteration *now = &t->now;
    if (now->reads == MAX_ITERATION) {
        now->reads /= 2;
        now->incomplete = true;
        memmove(now->entry, now->entry + now->reads, (size_t)now->reads * sizeof *now->entry);
    }
    now->entry[now->reads++] = (struct read_at){place_of(t, pc), loc, value};
}

/* What the thread does now is no turn of a waiting loop. */
void break_iteration(struct thread *t) {
    t->now.pure = false;
    t->now.reads = 0;
    end_impatience(t, true);
}
