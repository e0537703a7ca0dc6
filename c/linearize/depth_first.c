/* The general search, depth first: one linearization is built, effect by effect, and taken back where it leads nowhere
 * (Wing & Gong 1993, with Lowe's memoization of 2017). It finds an order of a history that has one after few steps,
 * where the frontier keeps all of them.
 *
 * An effect takes place as late as it can: at the return of an operation that has not taken effect yet. What has been
 * tried without success is remembered as 128 bits of (place, operations that have taken effect, state); two different
 * ones that meet in all 128 bits would hide one of them. It stays known when the search loses patience, takes
 * back its last choices and goes on with others first. When
 * memory is full the older half is forgotten, as long as the search still gets on. An operation that changes no state takes effect as soon as its result is right; of operations that are alike
 * the one that returns first goes first, and of a queue's open puts the one that returns and is taken first. */
#include "linearize/depth.h"

/* -- what has been tried --------------------------------------------------------------------------------------- */

static struct lin_seen lin_fingerprint(const struct lin_depth *d) {
    uint64_t a = 0x9e3779b97f4a7c15u, b = 0xc2b2ae3d27d4eb4fu, s = d->state, t = d->state;
    if (d->claims.next)
        s = d->claims.hash[0] + d->slots.hash, t = d->claims.hash[1] ^ lin_mix(d->slots.hash + d->slots.last);
    else if (d->content.value)
        lin_content_hash(&d->content, &s, &t);
    const uint64_t first[3] = {d->at, s, t};
    for (uint32_t k = 0; k < 3 + d->sets; k++) {
        uint64_t word = k < 3 ? first[k] : d->done[k - 3];
        a = lin_mix(a ^ word) * 0xff51afd7ed558ccdu + 1;
        b = lin_mix(b + word * 0xa0761d6478bd642fu) * 0xe7037ed1a0b428dbu + 1;
    }
    return (struct lin_seen){a | 1, b};
}

/* -- one step -------------------------------------------------------------------------------------------------- */

/* How many states are there after `op`? They are steps.out[0..count), or `content` knows. */
static uint32_t lin_outcomes(struct lin_depth *d, uint32_t op) {
    if (d->claims.next)
        return lin_claim_outcomes(d, op);
    if (d->content.value)
        return lin_content_allows(&d->content, lin_op(d->p, op));
    return lin_step(&d->steps, d->state, op) ? d->steps.count : 0;
}

static void lin_take_effect(struct lin_depth *d, uint32_t op) {
    lin_set(d->done, d->slot_of[op]);
    d->trail[d->trail_n++] = op;
}

/* Lets open operations that change nothing take effect where their result is right (one of a batch can wait for
 * another). */
static bool lin_look(struct lin_depth *d) {
    bool again = true;
    while (again) {
        again = false;
        for (uint32_t w = 0; w < d->sets; w++)
            for (uint64_t left = d->observer[w] & ~d->done[w]; left; left &= left - 1) {
                uint32_t op = d->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
                if (!lin_batch_allows(d, op) || !lin_outcomes(d, op))
                    continue;
                lin_take_effect(d, op);
                again = d->p->before != NULL;
            }
    }
    return !d->run->stopped;
}

/* Goes on to the next return of an operation that has not taken effect; at the end: d->at == events. */
static bool lin_go_on(struct lin_depth *d) {
    struct lin_problem *p = d->p;
    for (; d->at < p->events; d->at++) {
        uint32_t op = p->event[d->at] >> 1, slot = d->slot_of[op];
        if (slot == LIN_NO) {
            if (lin_stops_at_put(d, p->event[d->at]))
                break;
            continue;
        }
        if (p->event[d->at] & 1) {
            if (!lin_bit(d->done, slot))
                break;
            lin_clear(d->used, slot);
            lin_clear(d->done, slot);
            lin_clear(d->observer, slot);
            d->open[slot] = LIN_NO;
            continue;
        }
        d->open[slot] = op;
        lin_set(d->used, slot);
        if (!d->observes[op])
            continue;
        lin_set(d->observer, slot);
        if (lin_batch_allows(d, op) && lin_outcomes(d, op))
            lin_take_effect(d, op);
        if (p->before && !lin_look(d))
            return false;
    }
    return !d->run->stopped;
}

static void lin_go_back(struct lin_depth *d, uint32_t to) {
    while (d->at > to) {
        uint32_t event = d->p->event[--d->at], op = event >> 1, slot = d->slot_of[op];
        if (slot == LIN_NO)
            continue;
        if (event & 1) {
            d->open[slot] = op;
            lin_set(d->used, slot);
            if (d->observes[op])
                lin_set(d->observer, slot);
        } else {
            d->open[slot] = LIN_NO;
            lin_clear(d->used, slot);
            lin_clear(d->observer, slot);
        }
    }
}

/* -- choices --------------------------------------------------------------------------------------------------- */

/* Takes back everything since the choice on top was made. */
static void lin_undo(struct lin_depth *d) {
    struct lin_choice *c = &d->path[d->depth - 1];
    lin_go_back(d, c->at);
    memcpy(d->done, d->path_done + (size_t)(d->depth - 1) * d->sets, d->sets * sizeof *d->done);
    d->trail_n = c->trail;
    d->state = c->state;
    if (d->claims.next)
        lin_unclaim(d, c);
    if (d->claims.next || !d->content.value)
        return;
    if (lin_is_put(lin_op(d->p, c->op)))
        lin_content_unput(&d->content);
    else if (lin_is_get(lin_op(d->p, c->op)))
        lin_content_unget(&d->content, c->value, c->taken);
}

/* A register: its value `lost` has been replaced. Does an operation need it that returns before anybody can bring it
 * back? */
static bool lin_is_missed(const struct lin_depth *d, uint32_t lost) {
    const struct lin_demand *m = &d->demand;
    uint32_t by = LIN_NO;
    for (uint32_t k = lin_demand_first(m, lost, d->at); k < m->need_from[lost + 1] && by == LIN_NO; k++) {
        uint32_t op = m->need[k];
        if (d->p->call[op] >= d->at || !lin_bit(d->done, d->slot_of[op]))
            by = d->p->ret[op];
    }
    if (by == LIN_NO || lin_demand_next_make(m, lost, d->at) < by)
        return false;
    for (uint32_t w = 0; w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w]; left; left &= left - 1)
            if (m->makes[d->open[w * 64 + (uint32_t)__builtin_ctzll(left)]] == lost)
                return false;
    return true;
}

/* One of its outcomes, if there are that many. */
static bool lin_choose(struct lin_depth *d, struct lin_choice *c, uint32_t op, uint32_t outcome) {
    if (outcome >= lin_outcomes(d, op))
        return false;
    c->op = op;
    if (d->claims.next)
        lin_claim(d, c, outcome);
    else if (d->content.value) {
        const struct lf_history_op *o = lin_op(d->p, op);
        if (lin_is_put(o)) {
            bool known = d->steps.turns.hi != NULL;
            uint32_t taken = known ? d->steps.turns.hi[op] : LIN_NO;
            lin_content_put(&d->content, known && taken == LIN_NO ? LF_HISTORY_NONE : o->arg, taken);
        } else if (lin_is_get(o)) {
            c->taken = d->content.stack ? d->content.soonest[d->content.last] : LIN_NO;
            c->value = lin_content_get(&d->content);
        }
    } else
        d->state = d->steps.out[outcome];
    lin_take_effect(d, op);
    if ((d->demand.need && d->state != c->state && lin_is_missed(d, c->state)) ||
        (lin_is_put(lin_op(d->p, op)) && !lin_room_is_left(d, op))) {
        lin_undo(d);
        return false;
    }
    return true;
}

/* Makes the next choice at the top of the path; false when there is none. */
static bool lin_next_choice(struct lin_depth *d) {
    struct lin_choice *c = &d->path[d->depth - 1];
    uint32_t returning = d->p->event[c->at] >> 1;
    d->steps.gap = c->at - 1;
    if (c->turn != d->turn) { /* another order of choices: what led nowhere is known */
        c->turn = d->turn;
        c->next = c->outcome = 0;
    }
    bool put = d->slot_of[returning] == LIN_NO;
    bool later = !put && (lin_was_later(d, returning) || (d->steps.custom && !lin_stays(d, returning)));
    if (c->next == LIN_RETURNING && put && !d->slots.claims) {
        c->next++;
        c->op = returning;
        c->taken = LIN_NO;
        d->at++;
        return true;
    }
    if (c->next == LIN_RETURNING) {
        if (!put && !later && !d->observes[returning] && lin_allowed(d, returning) &&
            lin_choose(d, c, returning, c->outcome++))
            return true;
        c->next++;
        c->outcome = 0;
    }
    uint32_t fills = d->slots.claims ? 1 : 0;
    uint32_t n = fills && !lin_gets_help(d, returning) ? 0 : lin_list(d, returning, later);
    for (; c->next <= n + 2 * fills && !d->run->stopped; c->next++, c->outcome = 0) {
        bool first = c->next == 1, last = c->next == n + 2;
        if (fills && (first || last) ? lin_fill(d, c, returning, first)
                                     : lin_choose(d, c, d->list[c->next - 1 - fills], c->outcome++))
            return true;
    }
    return false;
}

/* A new choice on top of the path, unless it has been tried: 1, or 0; -1: out of memory. */
static int lin_push_choice(struct lin_depth *d) {
    if (lin_tried_find(&d->tried, lin_fingerprint(d)))
        return 0;
    if (d->depth == d->room) {
        uint32_t room = d->room ? 2 * d->room : 64;
        if (!lin_grow(d->run, (void **)&d->path, d->depth, room, sizeof *d->path) ||
            !lin_grow(d->run, (void **)&d->path_done, (size_t)d->depth * d->sets, (size_t)room * d->sets, 8))
            return -1;
        d->room = room;
    }
    memcpy(d->path_done + (size_t)d->depth * d->sets, d->done, d->sets * sizeof *d->done);
    d->path[d->depth++] = (struct lin_choice){.at = d->at, .state = d->state, .trail = d->trail_n, .turn = d->turn};
    return 1;
}

/* Is there time left? An end of patience is no end of the search: it goes on from here in another order. */
static bool lin_patient(struct lin_depth *d) {
    if (d->at > d->furthest) {
        d->furthest = d->at;
        d->budget = d->visited + d->patience;
        if (d->run->options->progress)
            *d->run->options->progress = d->run->settled + d->at / 2;
    }
    d->visited++;
    return ((d->visited & 255) != 0 || lin_poll(d->run)) && d->visited <= d->budget;
}

static int lin_descend(struct lin_depth *d) {
    bool choose = d->depth > 0;
    if (!choose && !lin_go_on(d))
        return LIN_UNDECIDED;
    for (;; choose = false) {
        if (!choose) {
            if (d->at == d->p->events)
                return LIN_ACCEPT;
            if (!lin_patient(d))
                return LIN_UNDECIDED;
            int pushed = lin_push_choice(d);
            if (pushed < 0)
                return LIN_UNDECIDED;
            if (!pushed)
                lin_undo(d);
        }
        while (!lin_next_choice(d)) {
            if (d->run->stopped || !lin_tried_add(&d->tried, lin_fingerprint(d), d->furthest))
                return LIN_UNDECIDED;
            if (--d->depth == 0)
                return LIN_REJECT;
            lin_undo(d);
        }
        if (!lin_look(d) || !lin_go_on(d))
            return LIN_UNDECIDED;
    }
}

/* -- the search ------------------------------------------------------------------------------------------------ */

/* Places in the sets: the same for the same operation whatever was chosen before. */
static bool lin_places(struct lin_depth *d) {
    struct lin_problem *p = d->p;
    uint32_t *free_place = lin_alloc(d->run, d->sets * 64, sizeof *free_place), n = d->sets * 64;
    d->slot_of = lin_alloc(d->run, p->n, sizeof *d->slot_of);
    d->alike = lin_alloc(d->run, p->n, sizeof *d->alike);
    d->observes = lin_alloc(d->run, p->n, sizeof *d->observes);
    d->trail = lin_alloc(d->run, p->n, sizeof *d->trail);
    if (d->run->stopped)
        return false;
    for (uint32_t k = 0; k < n; k++)
        free_place[k] = n - 1 - k;
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t op = p->event[r] >> 1;
        const struct lf_history_op *o = lin_op(p, op);
        if (lin_out_of_sight(p, op) || (d->claims.next && lin_puts_value(p, op))) {
            d->slot_of[op] = LIN_NO;
            continue;
        }
        if (p->event[r] & 1) {
            free_place[n++] = d->slot_of[op];
            continue;
        }
        d->slot_of[op] = free_place[--n];
        uint64_t h = lin_mix((uint64_t)o->arg * 3 + o->op) ^ lin_mix((uint64_t)lin_second(o) + 5) ^ o->key;
        uint64_t result = o->op == LF_OP_CAS ? 0 : (uint64_t)o->result;
        h = lin_mix(h ^ (lin_pending(o) ? 1 : result * 7 + lin_failed(o)));
        d->alike[op] = d->steps.custom || o->batch ? LIN_NO : (uint32_t)h >> 1;
        d->observes[op] = !d->steps.custom && lin_spec_observes(d->run->spec, o);
    }
    lin_free(d->run, free_place);
    return true;
}

/* What was found for a queue or a stack is replayed against a plain one. */
static bool lin_replayed(struct lin_depth *d) {
    if (!d->content.value || (d->claims.next && !d->slots.claims))
        return true;
    struct lin_witness w = {0};
    if (!lin_witness_init(&w, d->p) || (d->slots.claims && !lin_name_puts(d)))
        return false;
    for (uint32_t k = 0; k < d->trail_n; k++)
        lin_emit(&w, d->trail[k], 0);
    return lin_witness_holds(&w);
}

struct lin_depth *lin_depth_open(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_depth *d = lin_alloc(run, 1, sizeof *d);
    if (!d)
        return NULL;
    memset(d, 0, sizeof *d);
    d->p = p;
    d->run = d->tried.run = run;
    uint32_t most = lin_most_open(p);
    d->sets = most ? (most + 63) / 64 : 1;
    if (!lin_claims_init(&d->claims, p) || !lin_slots_init(&d->slots, &d->claims) || !lin_stepper_init(&d->steps, p) ||
        !lin_places(d) || !lin_content_init(&d->content, p))
        return NULL;
    memset(d->open, 0xff, sizeof d->open);
    d->state = d->content.value ? 0 : lin_stepper_start(&d->steps);
    if (d->content.value && !d->claims.next)
        lin_know_gets(p, &d->steps.turns);
    if (!lin_room_init(d))
        return NULL;
    if (run->spec->kind == LF_LIN_REGISTER)
        lin_demand_init(&d->demand, &d->steps);
    return run->stopped ? NULL : d;
}

bool lin_depth_is_exact(const struct lin_depth *d) { return !d->slots.claims; }

uint32_t lin_depth_furthest(const struct lin_depth *d) { return d->furthest; }

int lin_depth_first(struct lin_depth *d, enum lin_first first, uint64_t patience) {
    uint64_t before = d->visited;
    d->first = first;
    d->patience = patience;
    d->budget = d->visited + patience;
    d->chance = lin_mix(d->visited + 1);
    d->turn++;
    uint32_t keep = d->depth > patience / 8 ? d->depth - (uint32_t)(patience / 8) : d->depth ? 1 : 0;
    if (d->depth)
        lin_undo(d);
    while (d->depth > keep) {
        d->depth--;
        lin_undo(d);
    }
    int answer = lin_descend(d);
    d->run->result->configurations += d->visited - before;
    return answer == LIN_ACCEPT && !lin_replayed(d) ? LIN_UNDECIDED : answer;
}
