/* Numbered states and steps, for the general searches. */
#include "linearize/search.h"

bool lin_grow(struct lin_run *run, void **memory, size_t used, size_t room, size_t size) {
    void *bigger = lin_alloc(run, room, size);
    if (!bigger)
        return false;
    if (used)
        memcpy(bigger, *memory, used * size);
    lin_free(run, *memory);
    *memory = bigger;
    return true;
}

uint64_t lin_hash_words(const void *words, size_t n) {
    const unsigned char *at = words;
    uint64_t h = 0x9e3779b97f4a7c15u ^ n;
    for (size_t i = 0; i < n; i++, at += 8) {
        uint64_t w;
        memcpy(&w, at, 8);
        h = lin_mix(h ^ w) * 0x9e3779b97f4a7c15u;
    }
    return h;
}

bool lin_rehash(struct lin_run *run, uint32_t **slot, uint32_t *slots, uint32_t wanted) {
    lin_free(run, *slot);
    *slots = wanted;
    *slot = lin_alloc(run, wanted, sizeof **slot);
    if (!*slot)
        return false;
    memset(*slot, 0xff, wanted * sizeof **slot);
    return true;
}

uint32_t lin_intern(struct lin_run *run, struct lin_states *s, const int64_t *words, uint32_t count) {
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

static void lin_collect(void *context, const int64_t *words, uint32_t count) {
    struct lin_stepper *s = context;
    uint32_t state = lin_intern(s->p->run, &s->states, words, count);
    if (state == LIN_NO)
        return;
    if (s->count == s->room) {
        if (!lin_grow(s->p->run, (void **)&s->out, s->count, 2 * s->room, sizeof *s->out))
            return;
        s->room *= 2;
    }
    s->out[s->count++] = state;
}

static bool lin_ask(struct lin_stepper *s, uint32_t state, uint32_t op) {
    struct lin_run *run = s->p->run;
    int32_t n;
    uint32_t number = s->p->index[op];
    if (run->options->named)
        number = run->options->named[number];
    struct lin_answer *known = &s->answers[lin_mix((uint64_t)state << 32 | op) & (s->answer_places - 1)];
    if (known->op == op && known->state == state) {
        s->count = known->count;
        s->out[0] = known->out;
        return true;
    }
    while ((n = run->options->step(run->options->context, state, number, s->out, s->room)) > (int32_t)s->room) {
        s->room = (uint32_t)n;
        if (!lin_grow(run, (void **)&s->out, 0, s->room, sizeof *s->out))
            return false;
    }
    if (n < 0) {
        if (!run->stopped)
            run->stopped = n == LF_LIN_NO_ROOM ? LF_LIN_MEMORY : LF_LIN_STEP_FAILED;
        return false;
    }
    s->count = (uint32_t)n;
    if (n < 2)
        *known = (struct lin_answer){state, op, s->count, n ? s->out[0] : 0};
    return true;
}

bool lin_step(struct lin_stepper *s, uint32_t state, uint32_t op) {
    struct lin_run *run = s->p->run;
    s->count = 0;
    if (s->p->skip && s->p->skip[op] == LIN_PLACED && lin_weak_in(s->p, op, s->gap, s->gap)) {
        s->out[s->count++] = state;
        return true;
    }
    if (s->custom)
        return lin_ask(s, state, op);
    size_t count = s->states.start[state + 1] - s->states.start[state];
    if (2 * count + 8 > s->scratch_room) {
        s->scratch_room = 4 * count + 64;
        if (!lin_grow(run, (void **)&s->scratch, 0, s->scratch_room, sizeof *s->scratch))
            return false;
    }
    /* the state is copied out: interning the successors may move it */
    if (count)
        memcpy(s->scratch, s->states.word + s->states.start[state], count * sizeof *s->scratch);
    const struct lf_history_op *o = lin_op(s->p, op);
    struct lf_history_op nobodys;
    if (s->turns.hi && s->turns.hi[op] == LIN_NO && lin_is_put(o)) {
        /* values that no get names are all alike: one state instead of one for each of their orders */
        nobodys = *o;
        nobodys.arg = LF_HISTORY_NONE;
        o = &nobodys;
    }
    lin_spec_step(run->spec, o, s->scratch, (uint32_t)count, s->scratch + count, lin_collect, s);
    return !run->stopped;
}

bool lin_stepper_init(struct lin_stepper *s, struct lin_problem *p) {
    memset(s, 0, sizeof *s);
    s->p = p;
    s->custom = p->run->spec->kind == LF_LIN_CUSTOM;
    s->room = 64;
    s->out = lin_alloc(p->run, s->room, sizeof *s->out);
    if (s->custom) { /* no larger than a short history needs: clearing it would take longer than the search */
        for (s->answer_places = 64; s->answer_places < LIN_ANSWERS && s->answer_places < 4 * (uint64_t)p->n;)
            s->answer_places *= 2;
        s->answers = lin_alloc(p->run, s->answer_places, sizeof *s->answers);
    }
    if (s->answers)
        memset(s->answers, 0xff, s->answer_places * sizeof *s->answers);
    return !p->run->stopped;
}

uint32_t lin_stepper_start(struct lin_stepper *s) {
    const struct lf_lin_options *o = s->p->run->options;
    int64_t words[4];
    if (s->custom)
        return o->start ? (uint32_t)o->start[0] : 0;
    if (o->start)
        return lin_intern(s->p->run, &s->states, o->start, o->start_count);
    return lin_intern(s->p->run, &s->states, words, lin_spec_initial(s->p->run->spec, words));
}

bool lin_alike(const struct lin_problem *p, uint32_t x, uint32_t y) {
    const struct lf_history_op *a = lin_op(p, x), *b = lin_op(p, y);
    int32_t kind = p->run->spec->kind;
    bool by_client = kind == LF_LIN_MUTEX || kind == LF_LIN_RWLOCK || kind == LF_LIN_LOG;
    return a->op == b->op && a->arg == b->arg && lin_second(a) == lin_second(b) && a->key == b->key &&
           lin_failed(a) == lin_failed(b) && lin_pending(a) == lin_pending(b) &&
           (lin_pending(a) || a->op == LF_OP_CAS || a->result == b->result) && !a->batch && !b->batch &&
           (!by_client || a->client == b->client);
}

uint32_t lin_most_open(const struct lin_problem *p) {
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

void lin_know_gets(struct lin_problem *p, struct lin_turns *known) {
    struct lin_run *run = p->run;
    struct lin_table t;
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_op(p, i)->op == LF_OP_PEEK) /* then a value that nobody takes matters, too */
            return;
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
    *known = (struct lin_turns){lo, hi, next};
}
