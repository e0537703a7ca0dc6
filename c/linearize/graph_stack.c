/* The frontier search for stacks: for values that are equal, and for FULL in its strict reading.
 *
 * The general frontier keeps the whole content of each configuration, and contents multiply: two orders of two pushes
 * deep down double all that comes later. Here contents share what they have in common, in a graph-structured stack
 * (Tomita 1985; the states of a pushdown system can be searched like that: Bouajjani, Esparza & Maler 1997). A
 * configuration is the set of open operations that have taken effect, and a node: the value on top, with edges to all the
 * nodes that may be below. What is done until a value is popped does not depend on what is below it. So two pushes of equal
 * values that lead to the same set of operations share a node, and a pop goes on to every node below.
 *
 * An effect adds an operation to the set, so the sets of one return are extended from small to large; then a node has all
 * its edges before anything is popped off it. Nodes that say the same are made one after each return. */
#include "linearize/graph_nodes.h"

/* -- one return ------------------------------------------------------------------------------------------------ */

/* Without a capacity and batches, what is pushed and popped again can be done later as a whole, whatever else is inside:
 * so before the effect of the operation that returns, come pops of what was inside, then pushes. Before a pop come none,
 * but for that of the value it takes, at once: then nothing else comes before it (lin_gs_meet). */
static bool lin_gs_is_needed(const struct lin_graph *g, uint32_t top, bool put, uint32_t slot) {
    const struct lf_history_op *o = lin_op(g->p, g->open[slot]);
    return put ? lin_is_put(o) || (o->op == LF_OP_PEEK && !lin_failed(o)) : top < g->old;
}

/* The pop that returns takes a value that is pushed just before. */
static bool lin_gs_meet(struct lin_graph *g, const uint64_t *config, uint32_t slot) {
    uint64_t grown[1 + LIN_WORDS_MAX];
    const struct lf_history_op *pop = lin_op(g->p, g->open[slot]);
    if (!lin_is_get(pop) || lin_failed(pop) || !lin_gs_may_go(g, config + 1, slot))
        return true;
    for (uint32_t w = 0; w < g->sets; w++)
        for (uint64_t left = g->used[w] & ~config[1 + w]; left; left &= left - 1) {
            uint32_t x = w * 64 + (uint32_t)__builtin_ctzll(left);
            const struct lf_history_op *o = lin_op(g->p, g->open[x]);
            if (!lin_is_put(o) || o->arg != pop->result || !lin_gs_may_go(g, config + 1, x))
                continue;
            memcpy(grown, config, g->stride * 8);
            lin_set(grown + 1, x);
            grown[0] = lin_push_on(g, (uint32_t)config[0], o->arg, grown + 1);
            if (grown[0] == LIN_NO)
                return false;
            lin_gs_observe(g, grown);
            grown[0] = config[0];
            lin_set(grown + 1, slot);
            if (!lin_gs_reach(g, grown, slot))
                return false;
        }
    return true;
}

static bool lin_gs_extend(struct lin_graph *g, const uint64_t *config, uint32_t slot) {
    uint64_t grown[1 + LIN_WORDS_MAX];
    uint32_t top = (uint32_t)config[0];
    if (g->late && !lin_gs_use_late(g, config, slot))
        return false;
    for (uint32_t w = 0; w < g->sets; w++)
        for (uint64_t left = g->used[w] & ~config[1 + w] & ~g->observer[w]; left; left &= left - 1) {
            uint32_t x = w * 64 + (uint32_t)__builtin_ctzll(left);
            const struct lf_history_op *o = lin_op(g->p, g->open[x]);
            bool put = lin_is_put(o), looks = o->op == LF_OP_PEEK; /* a peek that never returned */
            if (put ? g->capacity && g->node[top].height >= (uint64_t)g->capacity
                    : !looks && (top == LIN_BOTTOM || (!lin_pending(o) && g->node[top].value != o->result)))
                continue;
            if (looks || lin_gs_waits(g, top, o) || !lin_gs_may_go(g, config + 1, x) ||
                (g->plain && !lin_gs_is_needed(g, top, put, slot)))
                continue;
            uint32_t edge = put ? LIN_NO : g->node[top].edge;
            do {
                memcpy(grown, config, g->stride * 8);
                lin_set(grown + 1, x);
                grown[0] = put ? lin_push_on(g, top, o->arg, grown + 1) : g->edge[edge].below;
                if (grown[0] == LIN_NO || !lin_gs_reach(g, grown, slot))
                    return false;
                edge = put ? LIN_NO : g->edge[edge].next;
            } while (edge != LIN_NO);
        }
    return true;
}

static bool lin_gs_return(struct lin_graph *g, uint32_t slot) {
    uint64_t config[1 + LIN_WORDS_MAX];
    lin_layers_clear(&g->next);
    lin_layers_clear(&g->seen);
    lin_index_clear(&g->fresh);
    for (uint32_t i = 0; i < g->frontier.n; i++) {
        memcpy(config, g->frontier.word + (size_t)i * g->stride, g->stride * 8);
        bool done = lin_bit(config + 1, slot);
        if (done)
            lin_clear(config + 1, slot);
        if (!lin_layers_add(g, done ? &g->next : &g->seen, config) ||
            (g->plain && !done && !lin_gs_meet(g, config, slot)))
            return false;
    }
    for (uint32_t size = 0, looked = 0; size <= g->sets * 64 && size <= LIN_OPEN_MAX; size++)
        for (uint32_t i = g->seen.first[size]; i != LIN_NO; i = g->seen.next[i]) {
            if ((++looked & 255) == 0 && !lin_poll(g->run))
                return false;
            memcpy(config, g->seen.word + (size_t)i * g->stride, g->stride * 8);
            if (!lin_gs_extend(g, config, slot))
                return false;
        }
    g->run->result->configurations += g->seen.n + g->next.n;
    bool collect = g->edges > g->collect_at;
    if (!lin_settle_nodes(g, collect ? 1 : g->old) || (collect && !lin_collect_edges(g)))
        return false;
    if (collect)
        g->collect_at = 2 * g->edges + LIN_GS_COLLECT;
    lin_layers_clear(&g->frontier);
    g->narrowed |= g->next.n > g->width;
    for (uint32_t size = 0; size <= g->sets * 64 && size <= LIN_OPEN_MAX; size++)
        for (uint32_t i = g->next.first[size]; i != LIN_NO && g->frontier.n < g->width; i = g->next.next[i]) {
            memcpy(config, g->next.word + (size_t)i * g->stride, g->stride * 8);
            config[0] = g->renamed[config[0]];
            if (!lin_layers_add(g, &g->frontier, config))
                return false;
        }
    g->slot_of[g->open[slot]] = LIN_NO;
    g->open[slot] = LIN_NO;
    lin_clear(g->used, slot);
    lin_clear(g->observer, slot);
    for (uint32_t i = 0; i < g->sets * 64; i++)
        lin_clear(g->alike[i], slot);
    return true;
}

static bool lin_gs_call(struct lin_graph *g, uint32_t op) {
    uint32_t slot = 0;
    while (g->open[slot] != LIN_NO)
        slot++;
    memset(g->alike[slot], 0, sizeof g->alike[slot]);
    for (uint32_t other = 0; other < g->sets * 64; other++) {
        if (g->open[other] == LIN_NO || !lin_alike(g->p, op, g->open[other]))
            continue;
        bool first = g->p->ret[op] < g->p->ret[g->open[other]];
        lin_set(g->alike[first ? other : slot], first ? slot : other);
    }
    g->open[slot] = op;
    g->slot_of[op] = slot;
    lin_set(g->used, slot);
    if (!lin_spec_observes(g->run->spec, lin_op(g->p, op)))
        return true;
    lin_set(g->observer, slot);
    lin_layers_clear(&g->next);
    for (uint32_t i = 0; i < g->frontier.n; i++) {
        uint64_t *config = g->frontier.word + (size_t)i * g->stride;
        lin_gs_observe(g, config);
        if (!lin_layers_add(g, &g->next, config))
            return false;
    }
    struct lin_layers swap = g->frontier;
    g->frontier = g->next;
    g->next = swap;
    return true;
}

/* -- the search ------------------------------------------------------------------------------------------------ */

/* With nothing open and one stack left, the past needs no more memory: a counterexample can begin here. */
static bool lin_is_cut(struct lin_graph *g) {
    struct lf_lin_result *r = g->run->result;
    int64_t content[64];
    uint32_t n = 0, x = (uint32_t)g->frontier.word[0];
    for (; x != LIN_BOTTOM && n < 64 && g->edge[g->node[x].edge].next == LIN_NO; x = g->edge[g->node[x].edge].below)
        content[n++] = g->node[x].value;
    if (x != LIN_BOTTOM)
        return false;
    if (!r->state)
        r->state = malloc(64 * sizeof *r->state);
    if (!r->state)
        return false;
    r->state_count = n;
    while (n)
        r->state[r->state_count - n] = content[n - 1], n--;
    return true;
}

static struct lin_graph *lin_graph_open(struct lin_problem *p, uint32_t width) {
    struct lin_run *run = p->run;
    struct lin_graph *g = lin_alloc(run, 1, sizeof *g);
    uint32_t most = lin_most_open(p);
    if (!g)
        return NULL;
    memset(g, 0, sizeof *g);
    g->p = p;
    g->run = run;
    g->width = width;
    g->capacity = run->spec->capacity;
    g->plain = !g->capacity && !p->before;
    g->collect_at = LIN_GS_COLLECT;
    bool exact;
    g->late = lin_gs_any_late(p, &exact) && (exact || width != LIN_NO);
    g->narrowed = g->late && !exact;
    g->depth_room = 64;
    g->depth = lin_alloc(run, g->depth_room, sizeof *g->depth);
    g->sets = most ? (most + 63) / 64 : 1;
    g->stride = 1 + g->sets;
    memset(g->open, 0xff, sizeof g->open);
    g->slot_of = lin_alloc(run, p->n, sizeof *g->slot_of);
    if (run->stopped)
        return NULL;
    memset(g->slot_of, 0xff, p->n * sizeof *g->slot_of);
    lin_layers_clear(&g->frontier);
    uint64_t config[1 + LIN_WORDS_MAX] = {0};
    if (lin_new_node(g, 0, 0) == LIN_NO)
        return NULL;
    for (uint32_t k = 0; run->options->start && k < run->options->start_count; k++) {
        uint32_t x = lin_new_node(g, run->options->start[k], g->capacity ? k + 1 : 0);
        if (x == LIN_NO || !lin_add_edge(g, x, (uint32_t)config[0]))
            return NULL;
        config[0] = x;
    }
    g->old = g->nodes; /* canonical without an index: later nodes stand above them */
    return lin_layers_add(g, &g->frontier, config) ? g : NULL;
}

static int lin_graph_sweep(struct lin_problem *p, uint32_t width) {
    struct lin_run *run = p->run;
    struct lin_graph *g = lin_graph_open(p, width);
    if (!g)
        return LIN_UNDECIDED;
    uint32_t cut = 0, open = 0;
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t op = p->event[r] >> 1;
        if ((r & 255) == 255 && !lin_poll(run))
            return LIN_UNDECIDED;
        if (p->skip && p->skip[op])
            continue;
        if (!(p->event[r] & 1)) {
            open++;
            if (!lin_gs_call(g, op))
                return LIN_UNDECIDED;
            continue;
        }
        open--;
        if (!lin_gs_return(g, g->slot_of[op]))
            return LIN_UNDECIDED;
        if (run->options->progress)
            *run->options->progress = run->settled + r / 2;
        if (run->allowance && run->result->configurations - run->spent_before > run->allowance)
            return LIN_UNDECIDED;
        if (!g->frontier.n)
            return g->narrowed ? LIN_UNDECIDED : lin_reject_window(p, op, cut, r);
        if (!open && g->frontier.n == 1 && lin_is_cut(g))
            cut = r + 1;
    }
    return LIN_ACCEPT;
}

/* Few configurations after each return are enough for most right histories; all of them for a violation. */
int lin_decide_graph_stack(struct lin_problem *p, uint32_t widest) {
    static const uint32_t widths[] = {64, 512, 4096, 1 << 15, LIN_NO};
    struct lin_run *run = p->run;
    struct lin_block *mark = run->blocks;
    int answer = LIN_UNDECIDED;
    if ((p->skip && p->before) || lin_most_open(p) > LIN_OPEN_MAX)
        return LIN_UNDECIDED;
    for (uint32_t k = 0; k < sizeof widths / sizeof *widths && answer == LIN_UNDECIDED && !run->stopped; k++) {
        if (widths[k] > widest)
            break;
        if (run->allowance && run->result->configurations - run->spent_before > run->allowance)
            break;
        answer = lin_graph_sweep(p, widths[k]);
        lin_release(run, mark);
    }
    return answer;
}
