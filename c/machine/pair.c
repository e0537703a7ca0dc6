/* Two threads: a line that goes back and forth, and a sleeper that is woken. */
#include "crew.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

/* ---- a line back and forth ---- */

struct lf_line {
    LF_ALIGNED uint64_t ping; /* owner: thread 0 */
    LF_ALIGNED uint64_t pong; /* owner: thread 1 */
    LF_ALIGNED double *one_way;
    int room, count;
};

enum { LF_TRIPS = 256 };

static void lf_transfer_work(struct lf_member *m) {
    struct lf_line *line = m->crew->job;
    uint64_t *mine = m->number == 0 ? &line->ping : &line->pong, *other = m->number == 0 ? &line->pong : &line->ping;
    uint64_t began = lf_now();
    uint32_t turns = 0;
    for (uint64_t i = 1; !lf_crew_stopped(m); i++) {
        if (m->number == 0)
            lf_store_release(mine, i);
        while (lf_load_acquire(other) != i)
            if (lf_crew_waits(m, &turns))
                return;
        if (m->number == 1)
            lf_store_release(mine, i);
        else if (i % LF_TRIPS == 0) {
            uint64_t now = lf_now();
            if (line->count < line->room)
                line->one_way[line->count++] = (double)(now - began) / LF_TRIPS / 2;
            began = now;
        }
    }
}

int lf_machine_transfer(int a, int b, uint64_t ns, double *one_way, int room) {
    struct lf_line line = {.one_way = one_way, .room = room};
    struct lf_member *members = lf_crew_members(2);
    if (members == NULL)
        return -ENOMEM;
    int error = lf_crew_run(NULL, lf_transfer_work, &line, (int[]){a, b}, 2, ns, members);
    free(members);
    return error != 0 ? error : line.count;
}

/* ---- a sleeper ---- */

struct lf_sleep {
    LF_ALIGNED uint32_t word;   /* the futex: the number of the last wake */
    LF_ALIGNED uint32_t asleep; /* the wake that the sleeper is about to wait for */
    LF_ALIGNED uint64_t woke_at;
    LF_ALIGNED uint64_t nap;
    double *wake, *call;
    int room, count;
    int same; /* both on one processor: the waker has to leave it before the sleeper can run */
};

static void lf_sleeper(struct lf_member *m, struct lf_sleep *s) {
    for (uint32_t k = 1; !lf_crew_stopped(m); k++) {
        lf_store_release(&s->asleep, k);
        while (lf_load_acquire(&s->word) != k && !lf_crew_stopped(m))
            lf_futex_wait(&s->word, k - 1, 50000000);
        lf_store_release(&s->woke_at, lf_now());
    }
}

static void lf_waker(struct lf_member *m, struct lf_sleep *s) {
    for (uint32_t k = 1; !lf_crew_stopped(m); k++) {
        for (uint32_t turns = 0; lf_load_acquire(&s->asleep) != k;)
            if (lf_crew_waits(m, &turns))
                break;
        lf_nap(s->nap);
        uint64_t began = lf_now();
        lf_store_release(&s->woke_at, 0u);
        lf_store_release(&s->word, k);
        int woken = lf_futex_wake(&s->word, 1);
        uint64_t ended = lf_now(), woke_at;
        for (uint32_t turns = 0; (woke_at = lf_load_acquire(&s->woke_at)) == 0;) {
            if (s->same)
                sched_yield();
            if (lf_crew_waits(m, &turns))
                return;
        }
        if (woken == 1 && s->count < s->room) {
            s->wake[s->count] = (double)woke_at - (double)began;
            s->call[s->count++] = (double)(ended - began);
        }
    }
}

static void lf_wake_work(struct lf_member *m) {
    struct lf_sleep *s = m->crew->job;
    (m->number == 0 ? lf_waker : lf_sleeper)(m, s);
}

int lf_machine_wake(int waker, int sleeper, uint64_t nap, uint64_t ns, double *wake, double *call, int room) {
    struct lf_sleep s = {.nap = nap, .wake = wake, .call = call, .room = room, .same = waker == sleeper};
    struct lf_member *members = lf_crew_members(2);
    if (members == NULL)
        return -ENOMEM;
    int error = lf_crew_run(NULL, lf_wake_work, &s, (int[]){waker, sleeper}, 2, ns, members);
    free(members);
    return error != 0 ? error : s.count;
}
