/* Containers with distinct values whose gaps have been chosen: what no choice of gaps allows, and the linearization that
 * a choice says, replayed. */
#include "linearize/internal.h"

/* inside[g]: how many values are certainly inside during the whole of gap g */
static uint32_t *lin_certainly_inside(struct lin_problem *p, const struct lin_table *t) {
    uint32_t *inside = lin_alloc(p->run, p->events + 2, sizeof *inside);
    if (!inside)
        return NULL;
    memset(inside, 0, (p->events + 2) * sizeof *inside);
    for (uint32_t i = 0; i < t->m; i++) {
        const struct lin_value *v = &t->values[i];
        uint32_t until = v->get == LIN_NO ? t->taken_from : v->get_lo;
        if (v->put_hi + 1 < until)
            inside[v->put_hi + 1]++, inside[until]--;
    }
    for (uint32_t g = 1; g < p->events + 2; g++)
        inside[g] += inside[g - 1];
    return inside;
}

static int lin_reject_impossible(struct lin_problem *p, const struct lin_table *t) {
    uint32_t *inside = lin_certainly_inside(p, t), *room = lin_alloc(p->run, p->events + 2, sizeof *room);
    if (!inside || !room)
        return LIN_UNDECIDED;
    int64_t capacity = p->run->spec->capacity;
    int answer = LIN_ACCEPT;
    room[p->events + 1] = p->events + 1;
    uint32_t over = LIN_NO;
    for (uint32_t g = p->events + 1; g--;) {
        room[g] = inside[g] ? room[g + 1] : g;
        if (capacity && inside[g] > capacity)
            over = g;
    }
    for (uint32_t i = 0; i < t->empties && answer == LIN_ACCEPT; i++) {
        uint32_t get = t->empty[i];
        if (room[p->call[get]] >= p->ret[get])
            answer = lin_reject_not_empty(p, t, get, LIN_NO, LF_LIN_NOT_EMPTY);
    }
    if (answer == LIN_ACCEPT && over != LIN_NO) {
        uint32_t *core = room, count = 0, last = LIN_NO;
        for (uint32_t i = 0; i < t->m && count < capacity + 1; i++) {
            const struct lin_value *v = &t->values[i];
            if (v->put_hi >= over || (v->get == LIN_NO ? t->taken_from : v->get_lo) <= over)
                continue;
            core[count++] = v->put;
            if (last == LIN_NO || p->ret[v->put] > p->ret[last])
                last = v->put;
        }
        answer = lin_reject(p, LF_LIN_OVER_CAPACITY, last, core, count, (int64_t)inside[over], capacity);
    }
    lin_free(p->run, room);
    lin_free(p->run, inside);
    return lin_poll(p->run) ? answer : LIN_UNDECIDED;
}
int lin_table_of_possible(struct lin_problem *p, struct lin_table *t) {
    int answer = lin_table_build(p, t);
    return answer == LIN_ACCEPT ? lin_reject_impossible(p, t) : answer;
}

/* Puts as late, gets as early as the order allows. */
void lin_squeeze(struct lin_value *v, const uint32_t *order, uint32_t m) {
    uint32_t bound = LIN_NO;
    for (uint32_t k = m; k--;)
        bound = v[order[k]].put_at = lin_min(v[order[k]].put_hi, bound);
    bound = 0;
    for (uint32_t k = 0; k < m; k++) {
        struct lin_value *x = &v[order[k]];
        bound = x->get_at = lin_max(x->get_lo, bound);
        x->put_at = lin_min(x->put_at, x->get_at);
    }
}

/* Values that pass straight through, then puts of the others. */
static void lin_emit_puts(struct lin_witness *w, const struct lin_table *t, const uint32_t *order) {
    for (uint32_t k = 0; k < t->m; k++) {
        const struct lin_value *x = &t->values[order[k]];
        if (x->put_at < x->get_at)
            continue;
        lin_emit(w, x->put, x->put_at);
        lin_emit(w, x->get, x->get_at);
    }
    for (uint32_t k = 0; k < t->m; k++) {
        const struct lin_value *x = &t->values[order[k]];
        if (x->put_at < x->get_at)
            lin_emit(w, x->put, x->put_at);
    }
}

/* The linearization in which every value is put and taken at its chosen gap, replayed. Within a gap: gets of
 * values already inside, EMPTY, values that pass straight through, then puts. `last_free[g]` is the last gap
 * <= g in which nothing is inside. Nested: `order` is outermost first. By taking: equal priorities leave in any
 * order, so the replay takes them in the order of the gets. */
bool lin_pass_through(struct lin_problem *p, struct lin_table *t, const uint32_t *order, const uint32_t *last_free,
                      enum lin_passing how) {
    struct lin_run *run = p->run;
    struct lin_witness w = {0};
    if (!lin_witness_init(&w, p))
        return false;
    bool *late = p->before && run->spec->kind == LF_LIN_PRIORITY_QUEUE ? lin_late_gets(p, t) : NULL;
    for (uint32_t k = 0; k < t->m; k++) {
        const struct lin_value *x = &t->values[order[how == LIN_NESTED ? t->m - 1 - k : k]];
        if (x->get != LIN_NO && x->put_at < x->get_at && !(late && late[x - t->values]))
            lin_emit(&w, x->get, x->get_at);
    }
    bool holds = true;
    for (uint32_t i = 0; i < t->empties && holds; i++) {
        uint32_t get = t->empty[i], gap = last_free[p->ret[get] - 1];
        holds = gap != LIN_NO && gap >= p->call[get];
        lin_emit(&w, get, gap);
    }
    if (late)
        holds = holds && lin_emit_batched(&w, t, order, late);
    else
        lin_emit_puts(&w, t, order);
    holds = holds && lin_witness_sort(&w);
    uint32_t *tie = NULL;
    if (holds && how == LIN_BY_TAKING) {
        tie = lin_alloc(run, p->n, sizeof *tie);
        uint32_t *taken = lin_alloc(run, p->n, sizeof *taken);
        if (run->stopped)
            return false;
        for (uint32_t k = 0; k < w.count; k++)
            taken[w.op[k]] = k;
        for (uint32_t i = 0; i < t->m; i++)
            tie[t->values[i].put] = t->values[i].get == LIN_NO ? LIN_NO : taken[t->values[i].get];
        lin_free(run, taken);
        w.tie = tie;
    }
    holds = holds && lin_witness_holds(&w);
    lin_free(run, tie);
    lin_witness_free(&w);
    return holds;
}

/* last_free[g]: the last gap <= g in which nothing is inside, as the values are placed. */
uint32_t *lin_last_free(struct lin_problem *p, const struct lin_table *t) {
    const struct lin_value *v = t->values;
    uint32_t *inside = lin_alloc(p->run, p->events + 2, sizeof *inside), last_free = LIN_NO;
    if (!inside)
        return NULL;
    memset(inside, 0, (p->events + 2) * sizeof *inside);
    for (uint32_t i = 0; i < t->m; i++)
        if (v[i].put_at + 1 < v[i].get_at)
            inside[v[i].put_at + 1]++, inside[v[i].get_at]--;
    for (uint32_t g = 1; g < p->events + 2; g++)
        inside[g] += inside[g - 1];
    for (uint32_t g = 0; g < p->events + 2; g++)
        inside[g] = inside[g] ? last_free : (last_free = g);
    return inside;
}
