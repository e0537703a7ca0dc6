/* A graph-structured stack: what may take effect, and what an effect leads to. */
#include "linearize/graph_nodes.h"

static bool lin_batch_waits(const struct lin_graph *g, const uint64_t *set, uint32_t slot) {
    uint32_t b = g->p->before ? g->p->before[g->open[slot]] : LIN_NO;
    return b != LIN_NO && g->slot_of[b] != LIN_NO && !lin_bit(set, g->slot_of[b]);
}

/* Is the answer of this operation, which changes nothing, right here? */
static bool lin_is_right(const struct lin_graph *g, uint32_t node, const struct lf_history_op *o) {
    if (lin_is_put(o))
        return g->capacity && g->node[node].height == (uint64_t)g->capacity;
    return lin_failed(o) ? node == LIN_BOTTOM : node != LIN_BOTTOM && g->node[node].value == o->result;
}

void lin_gs_observe(const struct lin_graph *g, uint64_t *config) {
    bool again = true;
    while (again) {
        again = false;
        for (uint32_t w = 0; w < g->sets; w++)
            for (uint64_t left = g->observer[w] & ~config[1 + w]; left; left &= left - 1) {
                uint32_t slot = w * 64 + (uint32_t)__builtin_ctzll(left);
                if (lin_batch_waits(g, config + 1, slot) ||
                    !lin_is_right(g, (uint32_t)config[0], lin_op(g->p, g->open[slot])))
                    continue;
                lin_set(config + 1, slot);
                again = g->p->before != NULL;
            }
    }
}

bool lin_gs_may_go(const struct lin_graph *g, const uint64_t *set, uint32_t slot) {
    for (uint32_t w = 0; w < g->sets; w++)
        if (g->alike[slot][w] & ~set[w])
            return false;
    return !lin_batch_waits(g, set, slot);
}

bool lin_gs_reach(struct lin_graph *g, uint64_t *config, uint32_t slot) {
    lin_gs_observe(g, config);
    bool done = lin_bit(config + 1, slot);
    if (done)
        lin_clear(config + 1, slot);
    return lin_layers_add(g, done ? &g->next : &g->seen, config);
}

/* -- what never returned --------------------------------------------------------------------------------------- */

/* A pop that never returned can wait until the value below is wanted, by a pop or by an EMPTY: all above its value has gone
 * by then. A push that never returned can wait until a pop takes its value, if it is no FULL that wants it. Under a
 * capacity a pop may have to make room in time, and a peek may want a value that stays: there this leaves orders out. */

bool lin_gs_waits(const struct lin_graph *g, uint32_t top, const struct lf_history_op *o) {
    bool full = g->capacity && g->node[top].height >= (uint64_t)g->capacity;
    return g->late && lin_pending(o) && (lin_is_put(o) || !full);
}

/* Sets one more pop that never returned; false: there is none. */
static bool lin_gs_spend(const struct lin_graph *g, uint64_t *set) {
    for (uint32_t w = 0; w < g->sets; w++)
        for (uint64_t left = g->used[w] & ~set[w]; left; left &= left - 1) {
            uint32_t x = w * 64 + (uint32_t)__builtin_ctzll(left);
            const struct lf_history_op *o = lin_op(g->p, g->open[x]);
            if (lin_is_get(o) && lin_pending(o) && lin_gs_may_go(g, set, x)) {
                lin_set(set, x);
                return true;
            }
        }
    return false;
}

/* Puts what is below the `n` nodes at the end of the list into it, each once, but not below those of this value. False: no
 * memory. */
static bool lin_gs_below(struct lin_graph *g, uint32_t from, uint32_t *end, bool wanted, int64_t value) {
    uint32_t to = *end;
    for (uint32_t k = from; k < to; k++) {
        uint32_t x = g->depth[k];
        if (x == LIN_BOTTOM || (wanted && g->node[x].value == value))
            continue;
        for (uint32_t e = g->node[x].edge; e != LIN_NO; e = g->edge[e].next) {
            uint32_t known = to;
            while (known < *end && g->depth[known] != g->edge[e].below)
                known++;
            if (known < *end)
                continue;
            if (*end == g->depth_room) {
                if (!lin_grow(g->run, (void **)&g->depth, *end, 2 * (size_t)*end, sizeof *g->depth))
                    return false;
                g->depth_room *= 2;
            }
            g->depth[(*end)++] = g->edge[e].below;
        }
    }
    return true;
}

/* Pops that never returned take what is above the next `pop` value, or, if `pop` is LIN_NO, all there is. */
static bool lin_gs_dig(struct lin_graph *g, const uint64_t *config, uint32_t pop, uint32_t slot) {
    uint64_t grown[1 + LIN_WORDS_MAX], spent[LIN_WORDS_MAX];
    bool wanted = pop != LIN_NO;
    int64_t value = wanted ? lin_op(g->p, g->open[pop])->result : 0;
    uint32_t from = 0, end = 1;
    memcpy(spent, config + 1, g->sets * 8);
    g->depth[0] = (uint32_t)config[0];
    while (from < end && lin_gs_spend(g, spent)) {
        uint32_t to = end;
        if (!lin_gs_below(g, from, &end, wanted, value))
            return false;
        from = to;
        for (uint32_t k = from; k < end; k++) {
            uint32_t x = g->depth[k];
            if (wanted ? x == LIN_BOTTOM || g->node[x].value != value : x != LIN_BOTTOM)
                continue;
            for (uint32_t e = wanted ? g->node[x].edge : LIN_NO, first = 1; first || e != LIN_NO;
                 e = g->edge[e].next, first = 0) {
                memcpy(grown + 1, spent, g->sets * 8);
                grown[0] = wanted ? g->edge[e].below : LIN_BOTTOM;
                if (wanted)
                    lin_set(grown + 1, pop);
                if (!lin_gs_reach(g, grown, slot))
                    return false;
                if (!wanted)
                    break;
            }
        }
    }
    return true;
}

/* Does an open EMPTY wait? */
static bool lin_gs_wants_empty(const struct lin_graph *g, const uint64_t *set) {
    for (uint32_t w = 0; w < g->sets; w++)
        for (uint64_t left = g->observer[w] & ~set[w]; left; left &= left - 1) {
            const struct lf_history_op *o = lin_op(g->p, g->open[w * 64 + (uint32_t)__builtin_ctzll(left)]);
            if (!lin_is_put(o) && lin_failed(o))
                return true;
        }
    return false;
}

bool lin_gs_use_late(struct lin_graph *g, const uint64_t *config, uint32_t slot) {
    uint64_t grown[1 + LIN_WORDS_MAX];
    uint32_t top = (uint32_t)config[0];
    bool dig = top != LIN_BOTTOM && (!g->plain || top < g->old);
    memcpy(grown + 1, config + 1, g->sets * 8);
    dig = dig && lin_gs_spend(g, grown + 1);
    if (dig && lin_gs_wants_empty(g, config + 1) && !lin_gs_dig(g, config, LIN_NO, slot))
        return false;
    for (uint32_t w = 0; w < g->sets; w++)
        for (uint64_t left = g->used[w] & ~config[1 + w] & ~g->observer[w]; left; left &= left - 1) {
            uint32_t x = w * 64 + (uint32_t)__builtin_ctzll(left);
            const struct lf_history_op *o = lin_op(g->p, g->open[x]);
            if (!lin_is_get(o) || lin_pending(o) || !lin_gs_may_go(g, config + 1, x))
                continue;
            if (dig && g->node[top].value != o->result && !lin_gs_dig(g, config, x, slot))
                return false;
            /* elsewhere lin_gs_meet does this */
            for (uint32_t y = 0; !g->plain && y < g->sets * 64; y++) {
                const struct lf_history_op *put = g->open[y] == LIN_NO ? NULL : lin_op(g->p, g->open[y]);
                if (!put || !lin_is_put(put) || !lin_pending(put) || put->arg != o->result || lin_bit(config + 1, y) ||
                    !lin_gs_may_go(g, config + 1, y) || (g->capacity && g->node[top].height >= (uint64_t)g->capacity))
                    continue;
                memcpy(grown, config, g->stride * 8);
                lin_set(grown + 1, x);
                lin_set(grown + 1, y);
                if (!lin_gs_reach(g, grown, slot))
                    return false;
            }
        }
    return true;
}

bool lin_gs_any_late(struct lin_problem *p, bool *exact) {
    bool late = false;
    *exact = !p->run->spec->capacity;
    for (uint32_t i = 0; i < p->n; i++) {
        late |= lin_pending(lin_op(p, i));
        *exact &= lin_op(p, i)->op != LF_OP_PEEK;
    }
    return late && !p->before;
}
