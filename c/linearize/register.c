/* Register with distinct written values, in O(n log n): zones (Gibbons & Korach 1997).
 *
 * Successful compare-and-swaps chain values: the next value follows directly, so a chain of values is one
 * block that nothing may interrupt. A block must be under way by the first return among its operations (lo) and
 * cannot be over before the last call (hi). If lo < hi it fills that stretch, and two such stretches may not
 * overlap; else it fits into any single gap of [hi, lo] that no such stretch fills. */
#include "linearize/internal.h"

struct lin_cell { /* a value */
    int64_t value;
    uint32_t writer, taker; /* the write or cas that wrote it, the cas that replaced it */
    uint32_t next;          /* the cell the taker wrote, LIN_NO */
    uint32_t reads_from, reads_to;
    bool chained; /* written by a cas */
};
struct lin_zone {
    uint32_t root, lo, hi, first, last, at;
};

struct lin_cells {
    struct lin_cell *cell;
    uint32_t n, *slot, mask, *reads;
};

static uint32_t lin_cell_slot(const struct lin_cells *c, int64_t value) {
    uint32_t h = (uint32_t)lin_mix((uint64_t)value) & c->mask;
    while (c->slot[h] != LIN_NO && c->cell[c->slot[h]].value != value)
        h = (h + 1) & c->mask;
    return h;
}

static bool lin_add_cell(struct lin_cells *c, int64_t value, uint32_t writer, bool chained) {
    uint32_t h = lin_cell_slot(c, value);
    if (c->slot[h] != LIN_NO)
        return false;
    c->cell[c->n] = (struct lin_cell){value, writer, LIN_NO, LIN_NO, 0, 0, chained};
    c->slot[h] = c->n++;
    return true;
}

/* Cells of every written value; LIN_UNDECIDED if values are not distinct or a cas failed. */
static int lin_cells_build(struct lin_problem *p, struct lin_cells *c) {
    struct lin_run *run = p->run;
    uint32_t slots = 64;
    while (slots < 2 * p->n + 2)
        slots *= 2;
    c->mask = slots - 1;
    c->n = 0;
    c->slot = lin_alloc(run, slots, sizeof *c->slot);
    c->cell = lin_alloc(run, p->n + 1, sizeof *c->cell);
    c->reads = lin_alloc(run, p->n, sizeof *c->reads);
    uint32_t *cell_of = lin_alloc(run, p->n, sizeof *cell_of);
    if (run->stopped)
        return LIN_UNDECIDED;
    memset(c->slot, 0xff, slots * sizeof *c->slot);
    lin_add_cell(c, run->spec->initial, LIN_NO, false);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        if (op->op == LF_OP_READ)
            continue;
        if ((op->op != LF_OP_WRITE && op->op != LF_OP_CAS) || lin_failed(op))
            return LIN_UNDECIDED;
        bool cas = op->op == LF_OP_CAS;
        if (!lin_add_cell(c, cas ? op->arg2 : op->arg, i, cas))
            return LIN_UNDECIDED;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        cell_of[i] = LIN_NO;
        if (op->op != LF_OP_READ || lin_pending(op))
            continue;
        uint32_t at = c->slot[lin_cell_slot(c, op->result)];
        if (at == LIN_NO)
            return lin_reject(p, LF_LIN_NEVER_PUT, i, &i, 1, op->result, 0);
        cell_of[i] = at;
        c->cell[at].reads_to++;
    }
    uint32_t sum = 0;
    for (uint32_t k = 0; k < c->n; k++) {
        uint32_t reads = c->cell[k].reads_to;
        c->cell[k].reads_from = c->cell[k].reads_to = sum;
        sum += reads;
    }
    /* in the order of their calls */
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t i = p->event[r] >> 1;
        if (!(p->event[r] & 1) && cell_of[i] != LIN_NO)
            c->reads[c->cell[cell_of[i]].reads_to++] = i;
    }
    lin_free(run, cell_of);
    return lin_poll(run) ? LIN_ACCEPT : LIN_UNDECIDED;
}

/* Links each cas to the cell it replaces. A pending cas whose value nobody saw is left out by its caller. */
static int lin_cells_link(struct lin_problem *p, struct lin_cells *c) {
    /* pending compare-and-swaps count only if something came of them: settle that from the ends of the chains */
    for (uint32_t k = 0; k < c->n; k++) {
        struct lin_cell *x = &c->cell[k];
        if (!x->chained)
            continue;
        const struct lf_history_op *op = lin_op(p, x->writer);
        uint32_t from = c->slot[lin_cell_slot(c, op->arg)];
        if (lin_pending(op) && x->reads_from == x->reads_to)
            return LIN_UNDECIDED;
        if (from == LIN_NO)
            return lin_reject(p, LF_LIN_NEVER_PUT, x->writer, &x->writer, 1, op->arg, 0);
        if (c->cell[from].taker != LIN_NO) {
            uint32_t core[3] = {c->cell[from].writer, c->cell[from].taker, x->writer};
            return lin_reject(p, LF_LIN_TAKEN_TWICE, x->writer, core, 3, op->arg, 0);
        }
        c->cell[from].taker = x->writer;
        c->cell[from].next = k;
    }
    return LIN_ACCEPT;
}

struct lin_walk {
    struct lin_problem *p;
    struct lin_zone *z;
    uint32_t gap, latest;
    struct lin_witness *w;
    int answer;
};

/* Every operation of a block in its order; each at the first gap it can have. */
static void lin_visit(struct lin_walk *k, uint32_t op) {
    struct lin_problem *p = k->p;
    if (op == LIN_NO || k->answer != LIN_ACCEPT)
        return;
    if (p->call[op] > k->gap || k->latest == LIN_NO)
        k->latest = op;
    k->gap = lin_max(k->gap, p->call[op]);
    if (k->gap >= p->ret[op]) {
        uint32_t core[2] = {k->latest, op};
        k->answer = k->w ? LIN_UNDECIDED : lin_reject(p, LF_LIN_ORDER_FORCED, op, core, 2, 0, 0);
        return;
    }
    if (k->w) {
        lin_emit(k->w, op, k->gap);
        return;
    }
    if (p->ret[op] - 1 < k->z->lo)
        k->z->lo = p->ret[op] - 1, k->z->first = op;
    if (k->z->last == LIN_NO || p->call[op] > k->z->hi)
        k->z->hi = p->call[op], k->z->last = op;
}

static void lin_walk_block(struct lin_walk *k, const struct lin_cells *c, uint32_t root) {
    for (uint32_t x = root; x != LIN_NO; x = c->cell[x].next) {
        const struct lin_cell *cell = &c->cell[x];
        if (x == root)
            lin_visit(k, cell->writer);
        for (uint32_t r = cell->reads_from; r < cell->reads_to; r++)
            lin_visit(k, c->reads[r]);
        if (cell->next != LIN_NO)
            lin_visit(k, cell->taker);
    }
}

static int lin_zones(struct lin_problem *p, const struct lin_cells *c, struct lin_zone *zone, uint32_t *zones) {
    *zones = 0;
    for (uint32_t k = 0; k < c->n; k++) {
        const struct lin_cell *x = &c->cell[k];
        if (x->chained)
            continue;
        bool used = x->reads_from < x->reads_to || x->next != LIN_NO;
        if (!used && (x->writer == LIN_NO || lin_pending(lin_op(p, x->writer))))
            continue;
        struct lin_zone *z = &zone[(*zones)++];
        *z = (struct lin_zone){k, p->events, 0, LIN_NO, LIN_NO, 0};
        struct lin_walk walk = {p, z, 0, LIN_NO, NULL, LIN_ACCEPT};
        lin_walk_block(&walk, c, k);
        if (walk.answer != LIN_ACCEPT)
            return walk.answer;
    }
    return LIN_ACCEPT;
}

static int lin_reject_zones(struct lin_problem *p, const struct lin_cells *c, const struct lin_zone *a,
                            const struct lin_zone *b) {
    uint32_t core[6] = {c->cell[a->root].writer, a->first, a->last, c->cell[b->root].writer, b->first, b->last},
             last = core[2];
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < i; j++)
            if (core[i] == core[j])
                core[i] = LIN_NO;
        if (core[i] != LIN_NO && (last == LIN_NO || p->call[core[i]] > p->call[last]))
            last = core[i];
    }
    return lin_reject(p, LF_LIN_STALE_READ, last, core, 6, c->cell[a->root].value, c->cell[b->root].value);
}

/* Gives every block its place: stretches as they are, the others in the first gap that is free for them. */
static int lin_place_zones(struct lin_problem *p, const struct lin_cells *c, struct lin_zone *zone, uint32_t zones,
                           uint32_t *order) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, zones, sizeof *key);
    uint32_t *stretch = lin_alloc(run, zones, sizeof *stretch), n = 0;
    if (run->stopped)
        return LIN_UNDECIDED;
    uint32_t initial = zones && zone[0].root == 0 ? zone[0].hi : 0;
    for (uint32_t i = 0; i < zones; i++) {
        if (zone[i].root == 0)
            zone[i].at = 0;
        else if (zone[i].lo < zone[i].hi)
            key[n] = zone[i].lo, stretch[n++] = i;
    }
    lin_sort_pairs(run, key, stretch, n);
    for (uint32_t k = 0; k < n; k++) {
        struct lin_zone *z = &zone[stretch[k]], *before = k ? &zone[stretch[k - 1]] : NULL;
        z->at = z->lo;
        if (before && before->hi > z->lo)
            return lin_reject_zones(p, c, before, z);
        if (initial > z->lo)
            return lin_reject_zones(p, c, &zone[0], z);
    }
    for (uint32_t i = 0; i < zones; i++) {
        struct lin_zone *z = &zone[i];
        if (z->root == 0 || z->lo < z->hi)
            continue;
        z->at = lin_max(z->hi, initial);
        if (z->at > z->lo)
            return lin_reject_zones(p, c, &zone[0], z);
        uint32_t a = 0, b = n; /* the last stretch that begins before z->at */
        while (a < b) {
            uint32_t mid = a + (b - a) / 2;
            if (zone[stretch[mid]].lo < z->at)
                a = mid + 1;
            else
                b = mid;
        }
        const struct lin_zone *in = a ? &zone[stretch[a - 1]] : NULL;
        if (in && z->at < in->hi) {
            if (in->hi > z->lo)
                return lin_reject_zones(p, c, in, z);
            z->at = in->hi;
        }
    }
    /* the initial value first; then by place, blocks of a single gap before a stretch that begins there */
    for (uint32_t i = 0; i < zones; i++) {
        order[i] = i;
        key[i] = zone[i].root == 0 ? 0 : 1 + 2 * (uint64_t)zone[i].at + (zone[i].lo < zone[i].hi);
    }
    lin_sort_pairs(run, key, order, zones);
    return run->stopped ? LIN_UNDECIDED : LIN_ACCEPT;
}

int lin_decide_register(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_cells cells;
    int answer = lin_cells_build(p, &cells);
    if (answer == LIN_ACCEPT)
        answer = lin_cells_link(p, &cells);
    if (answer != LIN_ACCEPT)
        return answer;
    struct lin_zone *zone = lin_alloc(run, cells.n, sizeof *zone);
    uint32_t *order = lin_alloc(run, cells.n, sizeof *order), zones;
    if (run->stopped)
        return LIN_UNDECIDED;
    answer = lin_zones(p, &cells, zone, &zones);
    if (answer == LIN_ACCEPT)
        answer = lin_place_zones(p, &cells, zone, zones, order);
    if (answer != LIN_ACCEPT)
        return answer;
    struct lin_witness w = {0};
    if (!lin_witness_init(&w, p))
        return LIN_UNDECIDED;
    struct lin_walk walk = {p, NULL, 0, LIN_NO, &w, LIN_ACCEPT};
    for (uint32_t k = 0; k < zones; k++) {
        walk.gap = lin_max(walk.gap, zone[order[k]].at);
        lin_walk_block(&walk, &cells, zone[order[k]].root);
    }
    /* a cycle of compare-and-swaps has no root: its operations are missing from the order, and the replay says so */
    return walk.answer == LIN_ACCEPT && lin_witness_holds(&w) ? LIN_ACCEPT : LIN_UNDECIDED;
}
