/* The content of a bounded queue is a row of slots: of each one it is known when it was filled, and not yet by which put.
 * That is decided when a get takes the value out of the first slot. So of concurrent puts no order is ever chosen that no
 * get asks for, and puts of equal values are never told apart.
 *
 * A slot suits a put if it was filled between the call and the return of the put. Each slot needs a put of its own, and each
 * put that has returned needs a slot. Slots are filled in the order of time, so the puts can be dealt out greedily: a slot
 * gets, of the puts that suit it and that no earlier one has got, the one that returns first (the rule of the earliest
 * deadline; Glover 1967 for convex bipartite graphs). If that fails, everything does: two puts that suit the same slot can
 * change places where the one that returns later has the later slot. For the same reason a get takes, of the puts of its
 * value that suit the first slot, the one that returns first. */
#include "linearize/slots.h"

bool lin_slots_init(struct lin_slots *s, struct lin_claims *c) {
    memset(s, 0, sizeof *s);
    if (!c->next || !c->p->run->spec->capacity)
        return true;
    struct lin_problem *p = c->p;
    struct lin_run *run = p->run;
    s->time = lin_alloc(run, p->n + 1, sizeof *s->time);
    s->waiting = lin_alloc(run, p->n + 1, sizeof *s->waiting);
    s->called = lin_alloc(run, p->events + 1, sizeof *s->called);
    s->seen = lin_alloc(run, p->events + 1, sizeof *s->seen);
    if (run->stopped)
        return false;
    s->called[0] = s->seen[0] = 0;
    for (uint32_t r = 0; r < p->events; r++) {
        bool put = lin_puts_value(p, p->event[r] >> 1);
        s->called[r + 1] = s->called[r] + (put && !(p->event[r] & 1));
        s->seen[r + 1] = s->seen[r] + put;
    }
    s->capacity = run->spec->capacity > UINT32_MAX ? UINT32_MAX : (uint32_t)run->spec->capacity;
    s->claims = c;
    return true;
}

static uint64_t lin_slot_key(const struct lin_slots *s, uint32_t k) {
    return lin_mix(((uint64_t)k << 32 | s->seen[s->time[k]]) * 0x9e3779b97f4a7c15u + 1);
}

uint32_t lin_slots_room(const struct lin_slots *s, uint32_t at) {
    return lin_min(s->called[at] - s->last, s->capacity - lin_slots_size(s));
}

void lin_slots_put(struct lin_slots *s, uint32_t at) {
    s->time[s->last] = at;
    s->hash += lin_slot_key(s, s->last++);
}

void lin_slots_unput(struct lin_slots *s) { s->hash -= lin_slot_key(s, --s->last); }

static bool lin_suits_slot(const struct lin_problem *p, uint32_t put, uint32_t time) {
    return p->call[put] < time && p->ret[put] >= time;
}

/* What never returned stands at the end of a ring, by call: the first of it, or `head`. */
static uint32_t lin_first_pending(const struct lin_problem *p, const uint32_t *prev, uint32_t head) {
    uint32_t put = head;
    while (prev[put] != head && p->ret[prev[put]] == p->events)
        put = prev[put];
    return put;
}

/* Deals the puts out to the slots from `from` on, `aside` left out. False: a slot gets none, or a put that returned
 * before `at` none. `given`: for the slots, or NULL. */
static bool lin_deal(struct lin_slots *s, uint32_t from, uint32_t aside, uint32_t at, uint32_t *given) {
    const struct lin_claims *c = s->claims;
    const struct lin_problem *p = c->p;
    uint32_t head = p->n, next = c->next[head], pending = lin_first_pending(p, c->prev, head), end = pending;
    uint32_t n = 0; /* that wait for a later slot, by return */
    for (uint32_t k = from; k < s->last; k++) {
        uint32_t time = s->time[k], w = 0, put;
        while (w < n && p->call[s->waiting[w]] >= time)
            w++;
        for (; w == n && next != end && p->ret[next] <= c->horizon[time]; next = c->next[next])
            if (next != aside) {
                s->waiting[n++] = next;
                w += p->call[next] >= time;
            }
        if (w < n) {
            put = s->waiting[w];
            memmove(s->waiting + w, s->waiting + w + 1, (n - w - 1) * sizeof *s->waiting);
            n--;
        } else {
            while (pending != head && pending == aside)
                pending = c->next[pending];
            put = pending;
            if (put == head || p->call[put] >= time)
                return false;
            pending = c->next[pending];
        }
        if (p->ret[put] < time)
            return false;
        if (given)
            given[k - from] = put;
    }
    if (next == aside)
        next = c->next[next];
    return (!n || p->ret[s->waiting[0]] >= at) && (next == head || p->ret[next] >= at);
}

bool lin_slots_hold(struct lin_slots *s, uint32_t at) { return lin_deal(s, s->first, LIN_NO, at, NULL); }

void lin_slots_rest(struct lin_slots *s, uint32_t *put) { lin_deal(s, s->first, LIN_NO, 0, put); }

/* Is there an earlier one in the ring that suits the first slot and has the same value? */
static bool lin_has_twin(const struct lin_slots *s, uint32_t put, uint32_t time) {
    const struct lin_claims *c = s->claims;
    uint32_t head = c->p->n + 1 + c->value[put], other = c->earlier[put];
    while (other != head && !lin_suits_slot(c->p, other, time))
        other = c->earlier[other];
    return other != head;
}

uint32_t lin_slots_find(struct lin_slots *s, uint32_t get, uint32_t at, uint32_t outcome) {
    const struct lin_claims *c = s->claims;
    const struct lin_problem *p = c->p;
    if (s->first == s->last)
        return LIN_NO;
    bool any = c->value[get] == LIN_NO;
    uint32_t n = p->n, time = s->time[s->first], head = any ? n : n + 1 + c->value[get];
    const uint32_t *next = any ? c->next : c->later;
    uint32_t put = next[head], pending = lin_first_pending(p, any ? c->prev : c->earlier, head);
    for (; put != head; put = next[put]) {
        if (put != pending && p->ret[put] != p->events && p->ret[put] > c->horizon[time]) {
            put = pending; /* no other one that returns has been called by then */
            if (put == head)
                break;
        }
        if (!lin_suits_slot(p, put, time) || (any && (!c->spare[c->value[put]] || lin_has_twin(s, put, time))))
            continue;
        if ((put == c->next[n] || lin_deal(s, s->first + 1, put, at, NULL)) && !outcome--)
            return put;
        if (!any)
            break;
    }
    return LIN_NO;
}

void lin_slots_get(struct lin_slots *s, uint32_t put, uint32_t get) {
    s->hash -= lin_slot_key(s, s->first++);
    lin_claims_take(s->claims, put, get);
}

void lin_slots_unget(struct lin_slots *s, uint32_t put, uint32_t get) {
    lin_claims_give_back(s->claims, put, get);
    s->hash += lin_slot_key(s, --s->first);
}
