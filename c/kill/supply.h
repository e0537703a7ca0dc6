/* supply.h: the states of a primitive that hands out things, n at a time, all or nothing: how many are free, out with the
 * dead, and kept for the one that takes them over. The file that includes it has the calls survivor_available, survivor_alloc,
 * survivor_free and survivor_adopt, FREE (how many there are beside A's), and before that THINGS and KEPT, the words for
 * what is handed out and what is kept. It defines the functions that are declared below. */
#ifndef LOCKFREE_KILL_SUPPLY_H
#define LOCKFREE_KILL_SUPPLY_H

#define WORLDS 32
#include "worlds.h"

static int agrees(struct world *w, const struct kill_message *m) {
    int64_t n = (int64_t)m->amount;
    if (m->call == survivor_available)
        return m->answer == w->free;
    if (m->call == survivor_adopt) {
        int64_t count = w->sealed;
        w->sealed = 0;
        return m->answer == (count > 0 ? count : (int64_t)LF_EMPTY);
    }
    if (m->call == survivor_free)
        return w->free += n, m->answer == LF_OK;
    if (m->answer == LF_OK && w->free >= n)
        return w->free -= n, 1;
    return m->answer == LF_EMPTY && w->free < n && (m->deadline == 0 || w->out == 0);
}

/* One by one: each recovery may be done in part, by anybody. */
static void comes_back(const struct world *w) {
    for (int64_t back = 1; back <= w->out; back++)
        possible(w->free + back, w->out - back, w->sealed);
}

static int describe(const struct world *w, char *text, size_t room) {
    return snprintf(text, room, "%lld free with %lld out and %lld " KEPT, (long long)w->free, (long long)w->out,
                    (long long)w->sealed);
}

/* ---- what the others may see after the death ---- */

static void after(void);      /* the worlds that are possible then */
static void hold_three(void); /* what a doomed process takes */
static int is_kept(void);     /* is there anything to adopt? */

static void go_on(void) {
    uint64_t taken = take_turns(survivor_available, survivor_alloc, survivor_free);
    if (taken > 0)
        must(&kill_b, survivor_free, taken, 0, LF_OK);
}

/* Anybody can get all of them but A's, and not one more. The next death is handled as exactly as this one. */
static void as_ever(void) {
    kill_newcomer();
    int64_t adopted = is_kept() ? ask(&kill_a, survivor_adopt, 0, 0) : 0;
    if (adopted > 0)
        must(&kill_a, survivor_free, (uint64_t)adopted, 0, LF_OK);
    for (uint64_t n = 0; n < 6; n++) {
        struct kill_survivor *s = kill_turn(n);
        must(s, survivor_alloc, FREE, KILL_AT_LAST, LF_OK);
        ask(s, survivor_available, 0, 0);
        must(kill_turn(n + 1), survivor_alloc, 1, 0, LF_EMPTY);
        must(s, survivor_free, FREE, 0, LF_OK);
    }
    if (kill_now.seed & 7)
        return;
    kill_start_doomed(hold_three);
    kill_end_doomed();
    kill_next_tick();
    n_worlds = 0;
    possible(FREE - 3, 3, 0);
    must(&kill_b, survivor_alloc, FREE, KILL_AT_LAST, LF_OK);
    must(&kill_b, survivor_free, FREE, 0, LF_OK);
}

static void judge_from_here(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    if (kill_now.mode != KILL_WAIT) {
        go_on();
    } else {
        uint64_t certain = FREE;
        for (int i = 0; i < n_worlds; i++)
            certain = (uint64_t)(FREE - worlds[i].sealed) < certain ? (uint64_t)(FREE - worlds[i].sealed) : certain;
        must(&kill_b, survivor_alloc, certain, KILL_AT_LAST, LF_OK);
        must(&kill_b, survivor_free, certain, 0, LF_OK);
    }
    as_ever();
}

/* ---- with B asleep: it waits for all of them but A's, and gets them at the latest when the victim dies ---- */

static struct kill_message sleeper;
static void send_b_to_sleep(void) {
    struct kill_message m = {.call = survivor_alloc, .amount = FREE, .deadline = KILL_AT_LAST};
    sleeper = m;
    kill_begin_ask(&kill_b, &sleeper);
    kill_wait_asleep(&kill_b);
}
static void judge_sleeper(void) {
    after();
    kill_end_ask(&kill_b, &sleeper);
    agree(&kill_b, &sleeper);
    must(&kill_b, survivor_free, FREE, 0, LF_OK);
    judge_from_here();
}

#endif
