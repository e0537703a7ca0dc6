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
#include "linearize/internal.h"

enum { LIN_OPEN_MAX = 1024, LIN_WORDS_MAX = LIN_OPEN_MAX / 64 };

/* Interned states: number <-> words. A custom specification numbers its own. */
struct lin_states {
    int64_t *word;
    size_t *start; /* state i is word[start[i]..start[i+1]) */
    uint32_t *slot, n, room, slots;
    size_t word_room;
};

/* Configurations: stride words each, {state, set of open operations}. */
struct lin_configs {
    uint64_t *word;
    uint32_t *slot, n, room, slots;
};

struct lin_search {
    struct lin_problem *p;
    uint32_t stride, sets; /* words of a configuration, words of a set */
    struct lin_states states, spare;
    struct lin_configs frontier, next, seen;
    uint32_t open[LIN_OPEN_MAX];                 /* slot -> operation, LIN_NO if free */
    uint64_t alike[LIN_OPEN_MAX][LIN_WORDS_MAX]; /* open operations that go first */
    uint64_t observer[LIN_WORDS_MAX], used[LIN_WORDS_MAX];
    uint32_t gap;                            /* where in time the search is */
    uint32_t *take_lo, *take_hi, *take_next; /* queues of distinct values: when a put's value is taken; or NULL */
    uint32_t *slot_of;                       /* [n] */
    int64_t *scratch;
    size_t scratch_room;
    uint32_t *step_out, step_count, step_room;
    bool custom;
};

static bool lin_bit(const uint64_t *set, uint32_t i) { return set[i / 64] >> (i % 64) & 1; }
static void lin_set(uint64_t *set, uint32_t i) { set[i / 64] |= UINT64_C(1) << (i % 64); }
static void lin_clear(uint64_t *set, uint32_t i) { set[i / 64] &= ~(UINT64_C(1) << (i % 64)); }

static bool lin_grow(struct lin_run *run, void **memory, size_t used, size_t room, size_t size) {
    void *bigger = lin_alloc(run, room, size);
    if (!bigger)
        return false;
    if (used)
        memcpy(bigger, *memory, used * size);
    lin_free(run, *memory);
    *memory = bigger;
    return true;
}

static uint64_t lin_hash_words(const void *words, size_t n) {
    const unsigned char *at = words;
    uint64_t h = 0x9e3779b97f4a7c15u ^ n;
    for (size_t i = 0; i < n; i++, at += 8) {
        uint64_t w;
        memcpy(&w, at, 8);
        h = lin_mix(h ^ w) * 0x9e3779b97f4a7c15u;
    }
    return h;
}

static bool lin_rehash(struct lin_run *run, uint32_t **slot, uint32_t *slots, uint32_t wanted) {
    lin_free(run, *slot);
    *slots = wanted;
    *slot = lin_alloc(run, wanted, sizeof **slot);
    if (!*slot)
        return false;
    memset(*slot, 0xff, wanted * sizeof **slot);
    return true;
}

/* Returns the number of the state, LIN_NO when out of memory. */
static uint32_t lin_intern(struct lin_run *run, struct lin_states *s, const int64_t *words, uint32_t count) {
    if (2 * (s->n + 1) > s->slots) {
        if (!lin_rehash(run, &s->slot, &s->slots, s->slots ? 2 * s->slots : 64))
            return LIN_NO;
        for (uint32_t i = 0; i < s->n; i++) {
            uint32_t h = (uint32_t)lin_hash_words(s->word + s->start[i], s->start[i + 1] - s->start[i]) &
                         (s->slots - 1);
            while (s->slot[h] != LIN_NO)
                h = (h + 1) & (s->slots - 1);
            s->slot[h] = i;
        }
    }
    uint32_t h = (uint32_t)lin_hash_words(words, count) & (s->slots - 1);
    for (; s->slot[h] != LIN_NO; h = (h + 1) & (s->slots - 1)) {
        uint32_t i = s->slot[h];
        if (s->start[i + 1] - s->start[i] == count && !memcmp(s->word + s->start[i], words, count * sizeof *words))
            return i;
    }
    if (s->n + 2 > s->room) {
        if (!lin_grow(run, (void **)&s->start, s->room ? s->n + 1 : 0, s->room ? 2 * s->room : 64, sizeof *s->start))
            return LIN_NO;
        if (!s->room)
            s->start[0] = 0;
        s->room = s->room ? 2 * s->room : 64;
    }
    size_t at = s->start[s->n];
    if (at + count > s->word_room || !s->word) {
        size_t room = 2 * (at + count) + 64;
        /* `words` may live in the scratch area, never in s->word: growing is safe */
        if (!lin_grow(run, (void **)&s->word, at, room, sizeof *s->word))
            return LIN_NO;
        s->word_room = room;
    }
    memcpy(s->word + at, words, count * sizeof *words);
    s->start[s->n + 1] = at + count;
    s->slot[h] = s->n;
    return s->n++;
}

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

static void lin_collect(void *context, const int64_t *words, uint32_t count) {
    struct lin_search *s = context;
    uint32_t state = lin_intern(s->p->run, &s->states, words, count);
    if (state == LIN_NO)
        return;
    if (s->step_count == s->step_room) {
        if (!lin_grow(s->p->run, (void **)&s->step_out, s->step_count, 2 * s->step_room, sizeof *s->step_out))
            return;
        s->step_room *= 2;
    }
    s->step_out[s->step_count++] = state;
}

/* The states after `op` in `state` are step_out[0..step_count). */
static bool lin_step(struct lin_search *s, uint32_t state, uint32_t op) {
    struct lin_run *run = s->p->run;
    s->step_count = 0;
    if (s->p->skip && s->p->skip[op] == LIN_PLACED && lin_weak_in(s->p, op, s->gap, s->gap)) {
        s->step_out[s->step_count++] = state;
        return true;
    }
    if (s->custom) {
        int32_t n;
        while ((n = run->options->step(run->options->context, state, s->p->index[op], s->step_out, s->step_room)) >
               (int32_t)s->step_room) {
            s->step_room = (uint32_t)n;
            if (!lin_grow(run, (void **)&s->step_out, 0, s->step_room, sizeof *s->step_out))
                return false;
        }
        if (n < 0) {
            if (!run->stopped)
                run->stopped = LF_LIN_STEP_FAILED;
            return false;
        }
        s->step_count = (uint32_t)n;
        return true;
    }
    size_t count = s->states.start[state + 1] - s->states.start[state];
    if (2 * count + 8 > s->scratch_room) {
        s->scratch_room = 4 * count + 64;
        if (!lin_grow(run, (void **)&s->scratch, 0, s->scratch_room, sizeof *s->scratch))
            return false;
    }
    /* the state is copied out: interning the successors may move it */
    memcpy(s->scratch, s->states.word + s->states.start[state], count * sizeof *s->scratch);
    const struct lf_history_op *o = lin_op(s->p, op);
    struct lf_history_op nobodys;
    if (s->take_hi && s->take_hi[op] == LIN_NO && lin_is_put(o)) {
        /* values that no get names are all alike: one state instead of one for each of their orders */
        nobodys = *o;
        nobodys.arg = LF_HISTORY_NONE;
        o = &nobodys;
    }
    lin_spec_step(run->spec, o, s->scratch, (uint32_t)count, s->scratch + count, lin_collect, s);
    return !run->stopped;
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
            if (!lin_step(s, (uint32_t)config[0], s->open[slot]))
                return false;
            if (!s->step_count)
                continue;
            lin_set(config + 1, slot);
            again |= s->p->before != NULL;
        }
    }
    return again ? lin_observe(s, config) : true;
}

static bool lin_same_kind(const struct lf_history_op *a, const struct lf_history_op *b, bool by_client) {
    return a->op == b->op && a->arg == b->arg && a->arg2 == b->arg2 && a->key == b->key &&
           lin_failed(a) == lin_failed(b) && lin_pending(a) == lin_pending(b) &&
           (lin_pending(a) || a->result == b->result) && !a->batch && !b->batch &&
           (!by_client || a->client == b->client);
}

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
    bool by_client = run->spec->kind == LF_LIN_MUTEX || run->spec->kind == LF_LIN_RWLOCK ||
                     run->spec->kind == LF_LIN_LOG;
    memset(s->alike[slot], 0, sizeof s->alike[slot]);
    for (uint32_t other = 0; !s->custom && other < s->sets * 64; other++) {
        if (s->open[other] == LIN_NO || !lin_same_kind(o, lin_op(s->p, s->open[other]), by_client))
            continue;
        bool first = s->p->ret[op] < s->p->ret[s->open[other]];
        if (first)
            lin_set(s->alike[other], slot);
        else
            lin_set(s->alike[slot], other);
    }
    s->open[slot] = op;
    s->slot_of[op] = slot;
    lin_set(s->used, slot);
    if (s->custom || !lin_spec_observes(run->spec, o))
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
        lin_clear(s->alike[i], slot);
}

/* In a queue of distinct values the gets are known: a value taken later is not put before one taken earlier. */
static bool lin_in_turn(const struct lin_search *s, const uint64_t *config, uint32_t slot) {
    uint32_t op = s->open[slot], lo = s->take_lo[op];
    if (lo == 0)
        return true;
    if (s->take_next[s->gap] < lo)
        return false;
    for (uint32_t w = 0; w < s->sets; w++)
        for (uint64_t left = s->used[w] & ~config[1 + w]; left; left &= left - 1) {
            uint32_t other = s->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            if (other != op && s->take_hi[other] < lo)
                return false;
        }
    return true;
}

/* Fills in when the value of each put is taken; leaves NULL if values repeat. */
static void lin_know_gets(struct lin_search *s) {
    struct lin_problem *p = s->p;
    struct lin_run *run = p->run;
    struct lin_table t;
    struct lf_lin_result before = *run->result;
    run->result->core = run->result->rule = NULL;
    int built = lin_table_build(p, &t);
    free(run->result->core), free(run->result->rule);
    uint64_t peak = run->result->peak_bytes;
    *run->result = before;
    run->result->peak_bytes = peak;
    if (built != LIN_ACCEPT)
        return;
    uint32_t *lo = lin_alloc(run, p->n, sizeof *lo), *hi = lin_alloc(run, p->n, sizeof *hi);
    uint32_t *next = lin_alloc(run, p->events + 1, sizeof *next);
    if (run->stopped)
        return;
    memset(lo, 0, p->n * sizeof *lo);
    memset(hi, 0xff, p->n * sizeof *hi);
    for (uint32_t i = 0; i < t.m; i++) {
        lo[t.values[i].put] = t.values[i].get == LIN_NO ? t.taken_from : t.values[i].get_lo;
        if (t.values[i].get != LIN_NO)
            hi[t.values[i].put] = t.values[i].get_hi;
    }
    /* next[g]: the earliest end of a get whose put is called after gap g */
    next[p->events] = LIN_NO;
    for (uint32_t r = p->events; r--;) {
        uint32_t ahead = r + 1 < p->events && !(p->event[r + 1] & 1) ? hi[p->event[r + 1] >> 1] : LIN_NO;
        next[r] = lin_min(next[r + 1], ahead);
    }
    s->take_lo = lo, s->take_hi = hi, s->take_next = next;
}

static bool lin_may_go(const struct lin_search *s, const uint64_t *config, uint32_t slot) {
    if (s->take_lo && !lin_in_turn(s, config, slot))
        return false;
    for (uint32_t w = 0; w < s->sets; w++)
        if (s->alike[slot][w] & ~config[1 + w])
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
            if (!lin_step(s, (uint32_t)config[0], s->open[x]))
                return false;
            uint32_t count = s->step_count, first[8], *outs = first;
            if (count > 8 && !(outs = lin_alloc(s->p->run, count, sizeof *outs)))
                return false;
            memcpy(outs, s->step_out, count * sizeof *outs); /* lin_observe steps again */
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
        if ((i & 255) == 255 && !lin_poll(run))
            return false;
        memcpy(config, s->seen.word + (size_t)i * s->stride, s->stride * 8);
        if (!lin_extend(s, config, slot))
            return false;
    }
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
            now |= s->p->skip[op] == LIN_PLACED && lin_weak_in(s->p, op, s->gap, s->gap);
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
    if (s->custom || s->states.n < 4096 || s->states.n < 16 * s->frontier.n)
        return true;
    struct lin_states fresh = s->spare, old = s->states;
    fresh.n = 0;
    if (fresh.slots)
        memset(fresh.slot, 0xff, fresh.slots * sizeof *fresh.slot);
    struct lin_configs *f = &s->frontier;
    for (uint32_t i = 0; i < f->n; i++) {
        uint64_t *config = f->word + (size_t)i * s->stride;
        size_t from = old.start[config[0]];
        uint32_t state = lin_intern(s->p->run, &fresh, old.word + from, (uint32_t)(old.start[config[0] + 1] - from));
        s->states = fresh;
        if (state == LIN_NO)
            return false;
        config[0] = state;
    }
    s->states = fresh;
    s->spare = old;
    return true;
}

static uint32_t lin_most_open(const struct lin_problem *p) {
    uint32_t open = 0, most = 0;
    for (uint32_t r = 0; r < p->events; r++) {
        if (p->skip && p->skip[p->event[r] >> 1] == LIN_SETTLED)
            continue;
        if (p->event[r] & 1)
            open--;
        else if (++open > most)
            most = open;
    }
    return most;
}

/* The state at a quiescent cut, for the words of a counterexample that begins there. */
static void lin_remember(struct lin_search *s) {
    struct lf_lin_result *r = s->p->run->result;
    uint32_t state = (uint32_t)s->frontier.word[0];
    r->state_count = 0;
    if (s->custom)
        return;
    size_t from = s->states.start[state], count = s->states.start[state + 1] - from;
    if (count > 64)
        return;
    if (!r->state)
        r->state = malloc(64 * sizeof *r->state);
    if (!r->state)
        return;
    memcpy(r->state, s->states.word + from, count * sizeof *r->state);
    r->state_count = (uint32_t)count;
}

/* No order explains the return of `op`, event `last`: the operations since the last quiescent cut show it (with
 * the results of those still running then, which took part in the argument). */
static int lin_reject_window(struct lin_problem *p, uint32_t op, uint32_t cut, uint32_t last) {
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

int lin_search(struct lin_problem *p) {
    struct lin_run *run = p->run;
    uint32_t most = lin_most_open(p);
    if (most > LIN_OPEN_MAX) {
        run->stopped = LF_LIN_TOO_OPEN;
        return LIN_UNDECIDED;
    }
    struct lin_search *s = lin_alloc(run, 1, sizeof *s);
    if (!s)
        return LIN_UNDECIDED;
    memset(s, 0, sizeof *s);
    s->p = p;
    s->custom = run->spec->kind == LF_LIN_CUSTOM;
    s->sets = most ? (most + 63) / 64 : 1;
    s->stride = 1 + s->sets;
    memset(s->open, 0xff, sizeof s->open);
    s->slot_of = lin_alloc(run, p->n, sizeof *s->slot_of);
    s->step_room = 64;
    s->step_out = lin_alloc(run, s->step_room, sizeof *s->step_out);
    if (run->stopped)
        return LIN_UNDECIDED;
    memset(s->slot_of, 0xff, p->n * sizeof *s->slot_of);
    uint64_t config[1 + LIN_WORDS_MAX] = {0};
    if (!s->custom) {
        int64_t words[4];
        uint32_t count = lin_spec_initial(run->spec, words);
        config[0] = lin_intern(run, &s->states, words, count);
    }
    if (run->spec->kind == LF_LIN_QUEUE)
        lin_know_gets(s);
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
            s->gap = r;
            open += !settled;
            if (!settled && !lin_open(s, op))
                return LIN_UNDECIDED;
            if (placing && !lin_settle_now(s))
                return LIN_UNDECIDED;
            continue;
        }
        open--;
        s->gap = r - 1;
        if (!lin_return(s, s->slot_of[op]))
            return LIN_UNDECIDED;
        if (run->options->progress)
            *run->options->progress = run->settled + r / 2;
        if (!s->frontier.n) {
            return lin_reject_window(p, op, cut, r);
        }
        s->gap = r;
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
