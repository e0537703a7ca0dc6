#include "linearize/tried.h"

static bool lin_seen_find(const struct lin_seen *slot, uint32_t slots, struct lin_seen x, uint32_t *at) {
    uint32_t h = (uint32_t)(x.b >> 32) & (slots - 1);
    while (slot[h].a && (slot[h].a != x.a || slot[h].b != x.b))
        h = (h + 1) & (slots - 1);
    *at = h;
    return slot[h].a != 0;
}

static bool lin_tried_grow(struct lin_tried *m, uint32_t slots) {
    uint32_t h;
    struct lin_seen *bigger = lin_alloc(m->run, slots, sizeof *bigger);
    if (!bigger)
        return false;
    memset(bigger, 0, slots * sizeof *bigger);
    for (uint32_t i = 0; i < m->slots; i++)
        if (m->now[i].a) {
            lin_seen_find(bigger, slots, m->now[i], &h);
            bigger[h] = m->now[i];
        }
    lin_free(m->run, m->now);
    m->now = bigger;
    m->slots = slots;
    return true;
}

/* The older half goes, unless the search has not got on since that was done last: then it never would. */
static bool lin_tried_forget(struct lin_tried *m, uint32_t furthest) {
    struct lin_run *run = m->run;
    if (!m->slots || (m->before && furthest == m->forgot_at)) {
        run->stopped = LF_LIN_MEMORY;
        return false;
    }
    m->forgot_at = furthest;
    struct lin_seen *old = m->before;
    if (!old || m->before_slots != m->slots) {
        lin_free(run, old);
        old = lin_alloc(run, m->slots, sizeof *old);
    }
    if (!old) {
        m->before = NULL;
        return false;
    }
    m->before = m->now;
    m->before_slots = m->slots;
    m->now = old;
    m->n = 0;
    memset(m->now, 0, m->slots * sizeof *m->now);
    return true;
}

bool lin_tried_find(const struct lin_tried *m, struct lin_seen x) {
    uint32_t ignored;
    return (m->now && lin_seen_find(m->now, m->slots, x, &ignored)) ||
           (m->before && lin_seen_find(m->before, m->before_slots, x, &ignored));
}

bool lin_tried_add(struct lin_tried *m, struct lin_seen x, uint32_t furthest) {
    if (4 * (uint64_t)(m->n + 1) > 3 * (uint64_t)m->slots) {
        struct lin_run *run = m->run;
        uint32_t slots = m->slots ? 2 * m->slots : 1024;
        uint64_t bytes = (uint64_t)slots * sizeof *m->now, limit = run->options->memory;
        bool fits = slots < 1u << 31 && (!limit || (run->bytes < limit && bytes < (limit - run->bytes) / 2));
        if (fits ? !lin_tried_grow(m, slots) : !lin_tried_forget(m, furthest))
            return false;
    }
    uint32_t h;
    if (lin_seen_find(m->now, m->slots, x, &h))
        return true;
    m->now[h] = x;
    m->n++;
    return true;
}
