/* The general search: Wing & Gong's algorithm with Lowe's memoization, in frontier form.
 *
 * The events are swept in order. A configuration is a state together with the set of open operations that have
 * already taken effect in it; the frontier holds every configuration that explains what has been seen. At
 * a return, configurations in which the returning operation has not taken effect yet are extended by open
 * operations, in every order, until it has; whatever cannot is dropped. An empty frontier is a violation.
 *
 * Two reductions keep the frontier small, and lose nothing:
 * - an operation whose result implies that it changes no state takes effect as soon as its result is right;
 * - of open operations that are alike, the one that returns first goes first (exchanging two of them changes
 *   nothing else).  Not for batches, whose order is given, and not for a user's specification.
 *
 * Nothing open and one state left is a quiescent cut: the past needs no more memory. */
#include "linearize/search.h"

/* Configurations: stride words each, {state, set of open operations}. */
struct lin_configs {
    uint64_t *word;
    uint32_t *slot, n, room, slots;
};

struct lin_search {
    struct lin_problem *p;
    uint32_t stride, sets; /* words of a configuration, words of a set */
    struct lin_stepper steps;
    struct lin_configs frontier, next, seen;
    uint32_t open[LIN_OPEN_MAX]; /* slot -> operation, LIN_NO if free */
    uint64_t *alike;             /* slot -> set of the open operations that go first */
    uint64_t observer[LIN_WORDS_MAX], used[LIN_WORDS_MAX];
    uint32_t *slot_of; /* [n] */
    uint64_t budget, visited;
};

/* One large step must not make every later one pay for clearing its table. */
static void lin_configs_clear(struct lin_configs *c) {
    while (c->slots > 64 && c->slots > 8 * c->n)
        c->slots /= 2;
    c->n = 0;
    if (c->slots)
        memset(c->slot, 0xff, c->slots * sizeof *c->slot);
}

/* Adds a configuration unless it is there: 1 added, 0 known, -1 out of memory. */
static int lin_configs_add(struct lin_search *s, struct lin_configs *c, const uint64_t *config) {
    struct lin_run *run = s->p->run;
    if (2 * (c->n + 1) > c->slots) {
        if (!lin_rehash(run, &c->slot, &c->slots, c->slots ? 2 * c->slots : 64))
            return -1;
        for (uint32_t i = 0; i < c->n; i++) {
            uint32_t h = (uint32_t)lin_hash_words(c->word + (size_t)i * s->stride, s->stride) & (c->slots - 1);
            while (c->slot[h] != LIN_NO)
                h = (h + 1) & (c->slots - 1);
            c->slot[h] = i;
        }
    }
    uint32_t h = (uint32_t)lin_hash_words(config, s->stride) & (c->slots - 1);
    for (; c->slot[h] != LIN_NO; h = (h + 1) & (c->slots - 1))
        if (!memcmp(c->word + (size_t)c->slot[h] * s->stride, config, s->stride * 8))
            return 0;
    if (c->n == c->room) {
        uint32_t room = c->room ? 2 * c->room : 64;
        if (!lin_grow(run, (void **)&c->word, (size_t)c->n * s->stride, (size_t)room * s->stride, 8))
            return -1;
        c->room = room;
    }
    memcpy(c->word + (size_t)c->n * s->stride, config, s->stride * 8);
    c->slot[h] = c->n++;
    return 1;
}

/* Lets every open observer whose result is right take effect (in a batch, one can wait for another). */
static bool lin_observe(struct lin_search *s, uint64_t *config) {
    bool again = false;
    for (uint32_t w = 0; w < s->sets; w++) {
        for (uint64_t left = s->observer[w] & ~config[1 + w]; left; left &= left - 1) {
            uint32_t slot = w * 64 + (uint32_t)__builtin_ctzll(left);
            uint32_t b = s->p->before ? s->p->before[s->open[slot]] : LIN_NO;
            if (b != LIN_NO && s->slot_of[b] != LIN_NO && !lin_bit(config + 1, s->slot_of[b]))
                continue;
            if (!lin_step(&s->steps, (uint32_t)config[0], s->open[slot]))
                return false;
            if (!s->steps.count)
                continue;
            lin_set(config + 1, slot);
            again |= s->p->before != NULL;
        }
    }
    return again ? lin_observe(s, config) : true;
}

static uint64_t *lin_first_of(const struct lin_search *s, uint32_t slot) { return s->alike + (size_t)slot * s->sets; }

static bool lin_open(struct lin_search *s, uint32_t op) {
    struct lin_run *run = s->p->run;
    const struct lf_history_op *o = lin_op(s->p, op);
    uint32_t slot = 0;
    while (slot < s->sets * 64 && s->open[slot] != LIN_NO)
        slot++;
    if (slot == s->sets * 64) {
        run->stopped = LF_LIN_TOO_OPEN;
        return false;
    }
    memset(lin_first_of(s, slot), 0, s->sets * sizeof *s->alike);
    for (uint32_t other = 0; !s->steps.custom && other < s->sets * 64; other++) {
        if (s->open[other] == LIN_NO || !lin_alike(s->p, op, s->open[other]))
            continue;
        bool first = s->p->ret[op] < s->p->ret[s->open[other]];
        if (first)
            lin_set(lin_first_of(s, other), slot);
        else
            lin_set(lin_first_of(s, slot), other);
    }
    s->open[slot] = op;
    s->slot_of[op] = slot;
    lin_set(s->used, slot);
    if (s->steps.custom || !lin_spec_observes(run->spec, o))
        return true;
    lin_set(s->observer, slot);
    struct lin_configs *f = &s->frontier;
    for (uint32_t i = 0; i < f->n; i++)
        if (!lin_observe(s, f->word + (size_t)i * s->stride))
            return false;
    return true;
}

static void lin_close(struct lin_search *s, uint32_t slot) {
    s->slot_of[s->open[slot]] = LIN_NO;
    s->open[slot] = LIN_NO;
    lin_clear(s->used, slot);
    lin_clear(s->observer, slot);
    for (uint32_t i = 0; i < s->sets * 64; i++)
        lin_clear(lin_first_of(s, i), slot);
}

/* In a queue of distinct values the gets are known: a value taken later is not put before one taken earlier. */
static bool lin_in_turn(const struct lin_search *s, const uint64_t *config, uint32_t slot) {
    uint32_t op = s->open[slot], lo = s->steps.turns.lo[op];
    if (lo == 0)
        return true;
    if (s->steps.turns.next[s->steps.gap] < lo)
        return false;
    for (uint32_t w = 0; w < s->sets; w++)
        for (uint64_t left = s->used[w] & ~config[1 + w]; left; left &= left - 1) {
            uint32_t other = s->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            if (other != op && (s->steps.turns.hi[other] < lo || lin_goes_first(s->p, &s->steps.turns, other, op)))
                return false;
        }
    return true;
}

static bool lin_may_go(const struct lin_search *s, const uint64_t *config, uint32_t slot) {
    if (s->steps.turns.lo && !lin_in_turn(s, config, slot))
        return false;
    for (uint32_t w = 0; w < s->sets; w++)
        if (lin_first_of(s, slot)[w] & ~config[1 + w])
            return false;
    uint32_t b = s->p->before ? s->p->before[s->open[slot]] : LIN_NO;
    return b == LIN_NO || s->slot_of[b] == LIN_NO || lin_bit(config + 1, s->slot_of[b]);
}

/* Extends one configuration by every open operation; those with `slot` done go to next, others to seen. */
static bool lin_extend(struct lin_search *s, const uint64_t *config, uint32_t slot) {
    uint64_t grown[1 + LIN_WORDS_MAX];
    for (uint32_t w = 0; w < s->sets; w++) {
        for (uint64_t left = s->used[w] & ~config[1 + w] & ~s->observer[w]; left; left &= left - 1) {
            uint32_t x = w * 64 + (uint32_t)__builtin_ctzll(left);
            if (!lin_may_go(s, config, x))
                continue;
            if (!lin_step(&s->steps, (uint32_t)config[0], s->open[x]))
                return false;
            uint32_t count = s->steps.count, first[8], *outs = first;
            if (count > 8 && !(outs = lin_alloc(s->p->run, count, sizeof *outs)))
                return false;
            memcpy(outs, s->steps.out, count * sizeof *outs); /* lin_observe steps again */
            for (uint32_t k = 0; k < count; k++) {
                memcpy(grown, config, s->stride * 8);
                grown[0] = outs[k];
                lin_set(grown + 1, x);
                if (!lin_observe(s, grown))
                    return false;
                bool done = slot != LIN_NO && lin_bit(grown + 1, slot);
                if (done)
                    lin_clear(grown + 1, slot);
                if (lin_configs_add(s, done ? &s->next : &s->seen, grown) < 0)
                    return false;
            }
            if (outs != first)
                lin_free(s->p->run, outs);
        }
    }
    return true;
}

static bool lin_return(struct lin_search *s, uint32_t slot) {
    struct lin_run *run = s->p->run;
    uint64_t config[1 + LIN_WORDS_MAX];
    lin_configs_clear(&s->next);
    lin_configs_clear(&s->seen);
    for (uint32_t i = 0; i < s->frontier.n; i++) {
        memcpy(config, s->frontier.word + (size_t)i * s->stride, s->stride * 8);
        bool done = lin_bit(config + 1, slot);
        if (done)
            lin_clear(config + 1, slot);
        if (lin_configs_add(s, done ? &s->next : &s->seen, config) < 0)
            return false;
    }
    for (uint32_t i = 0; i < s->seen.n; i++) {
        if (((i & 255) == 255 && !lin_poll(run)) || s->visited + s->seen.n + s->next.n > s->budget)
            return false;
        memcpy(config, s->seen.word + (size_t)i * s->stride, s->stride * 8);
        if (!lin_extend(s, config, slot))
            return false;
    }
    s->visited += s->seen.n + s->next.n;
    run->result->configurations += s->seen.n + s->next.n;
    struct lin_configs swap = s->frontier;
    s->frontier = s->next;
    s->next = swap;
    lin_close(s, slot);
    return true;
}

/* A weak answer in a batch is right at some instants only, whatever the state: at such an instant every order
 * of the open operations is tried, not only those that a return calls for. */
static bool lin_settle_now(struct lin_search *s) {
    bool now = false;
    for (uint32_t w = 0; w < s->sets; w++)
        for (uint64_t left = s->used[w]; left; left &= left - 1) {
            uint32_t op = s->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            now |= s->p->skip[op] == LIN_PLACED && lin_weak_in(s->p, op, s->steps.gap, s->steps.gap);
        }
    if (!now)
        return true;
    uint64_t config[1 + LIN_WORDS_MAX];
    lin_configs_clear(&s->seen);
    for (uint32_t i = 0; i < s->frontier.n; i++) {
        memcpy(config, s->frontier.word + (size_t)i * s->stride, s->stride * 8);
        if (!lin_observe(s, config) || lin_configs_add(s, &s->seen, config) < 0)
            return false;
    }
    for (uint32_t i = 0; i < s->seen.n; i++) {
        if ((i & 255) == 255 && !lin_poll(s->p->run))
            return false;
        memcpy(config, s->seen.word + (size_t)i * s->stride, s->stride * 8);
        if (!lin_extend(s, config, LIN_NO))
            return false;
    }
    struct lin_configs swap = s->frontier;
    s->frontier = s->seen;
    s->seen = swap;
    return true;
}

/* Keeps only the states of the frontier. */
static bool lin_forget_states(struct lin_search *s) {
    if (s->steps.custom || s->steps.states.n < 4096 || s->steps.states.n < 16 * s->frontier.n)
        return true;
    struct lin_states fresh = s->steps.spare, old = s->steps.states;
    fresh.n = 0;
    if (fresh.slots)
        memset(fresh.slot, 0xff, fresh.slots * sizeof *fresh.slot);
    struct lin_configs *f = &s->frontier;
    for (uint32_t i = 0; i < f->n; i++) {
        uint64_t *config = f->word + (size_t)i * s->stride;
        size_t from = old.start[config[0]];
        uint32_t state = lin_intern(s->p->run, &fresh, old.word + from, (uint32_t)(old.start[config[0] + 1] - from));
        s->steps.states = fresh;
        if (state == LIN_NO)
            return false;
        config[0] = state;
    }
    s->steps.states = fresh;
    s->steps.spare = old;
    return true;
}

/* The state at a quiescent cut, for the words of a counterexample that begins there. */
static void lin_remember(struct lin_search *s) {
    struct lf_lin_result *r = s->p->run->result;
    uint32_t state = (uint32_t)s->frontier.word[0];
    r->state_count = 0;
    size_t from = s->steps.custom ? 0 : s->steps.states.start[state];
    size_t count = s->steps.custom ? 1 : s->steps.states.start[state + 1] - from;
    if (count > 64)
        return;
    if (!r->state)
        r->state = malloc(64 * sizeof *r->state);
    if (!r->state)
        return;
    if (s->steps.custom)
        r->state[0] = state;
    else
        memcpy(r->state, s->steps.states.word + from, count * sizeof *r->state);
    r->state_count = (uint32_t)count;
}

/* No order explains the return of `op`, event `last`: the operations since the last quiescent cut show it (with
 * the results of those still running then, which took part in the argument). */
int lin_reject_window(struct lin_problem *p, uint32_t op, uint32_t cut, uint32_t last) {
    uint32_t *core = lin_alloc(p->run, p->n, sizeof *core), count = 0;
    if (!core)
        return LIN_UNDECIDED;
    for (uint32_t r = cut; r <= last; r++)
        if (!(p->event[r] & 1))
            core[count++] = p->event[r] >> 1;
    if (!cut)
        p->run->result->state_count = 0;
    return lin_reject(p, LF_LIN_NO_ORDER, op, core, count, cut, 0);
}

int lin_frontier(struct lin_problem *p, uint64_t budget) {
    struct lin_run *run = p->run;
    uint32_t most = lin_most_open(p);
    struct lin_search *s = lin_alloc(run, 1, sizeof *s);
    if (!s)
        return LIN_UNDECIDED;
    memset(s, 0, sizeof *s);
    s->p = p;
    s->budget = budget;
    s->sets = most ? (most + 63) / 64 : 1;
    s->stride = 1 + s->sets;
    memset(s->open, 0xff, sizeof s->open);
    s->slot_of = lin_alloc(run, p->n, sizeof *s->slot_of);
    s->alike = lin_alloc(run, (size_t)s->sets * 64 * s->sets, sizeof *s->alike);
    if (!lin_stepper_init(&s->steps, p))
        return LIN_UNDECIDED;
    memset(s->slot_of, 0xff, p->n * sizeof *s->slot_of);
    memset(s->alike, 0, (size_t)s->sets * 64 * s->sets * sizeof *s->alike);
    uint64_t config[1 + LIN_WORDS_MAX] = {0};
    config[0] = lin_stepper_start(&s->steps);
    if (run->spec->kind == LF_LIN_QUEUE)
        lin_know_gets(p, &s->steps.turns);
    if (run->stopped || lin_configs_add(s, &s->frontier, config) < 0)
        return LIN_UNDECIDED;
    uint32_t cut = 0, open = 0;
    bool placing = p->skip && p->before;
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t op = p->event[r] >> 1;
        bool settled = p->skip && p->skip[op] == LIN_SETTLED;
        if ((r & 255) == 255 && !lin_poll(run))
            return LIN_UNDECIDED;
        if (settled || !(p->event[r] & 1)) {
            s->steps.gap = r;
            open += !settled;
            if (!settled && !lin_open(s, op))
                return LIN_UNDECIDED;
            if (placing && !lin_settle_now(s))
                return LIN_UNDECIDED;
            continue;
        }
        open--;
        s->steps.gap = r - 1;
        if (!lin_return(s, s->slot_of[op]))
            return LIN_UNDECIDED;
        if (run->options->progress)
            *run->options->progress = run->settled + r / 2;
        if (!s->frontier.n)
            return lin_reject_window(p, op, cut, r);
        s->steps.gap = r;
        if (placing && !lin_settle_now(s))
            return LIN_UNDECIDED;
        if (!open && s->frontier.n == 1) {
            cut = r + 1;
            lin_remember(s);
        }
        if (!lin_forget_states(s))
            return LIN_UNDECIDED;
    }
    return LIN_ACCEPT;
}
