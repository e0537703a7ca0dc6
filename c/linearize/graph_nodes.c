/* The nodes of a graph-structured stack, those that say the same made one, and sets of configurations. */
#include "linearize/graph_nodes.h"

/* -- tables ---------------------------------------------------------------------------------------------------- */

void lin_index_clear(struct lin_index *x) {
    while (x->slots > 64 && x->slots > 8 * x->n)
        x->slots /= 2;
    x->n = 0;
    if (x->slots)
        memset(x->slot, 0xff, x->slots * sizeof *x->slot);
}

/* Room for one more? True in *grown if the table is empty now and has to be filled again. */
static bool lin_index_room(struct lin_run *run, struct lin_index *x, bool *grown) {
    *grown = 2 * (x->n + 1) > x->slots;
    return !*grown || lin_rehash(run, &x->slot, &x->slots, x->slots ? 2 * x->slots : 64);
}

static void lin_index_put(struct lin_index *x, uint64_t hash, uint32_t number) {
    uint32_t h = (uint32_t)hash & (x->slots - 1);
    while (x->slot[h] != LIN_NO)
        h = (h + 1) & (x->slots - 1);
    x->slot[h] = number;
}

static uint32_t lin_size(const struct lin_graph *g, const uint64_t *set) {
    uint32_t size = 0;
    for (uint32_t w = 0; w < g->sets; w++)
        size += (uint32_t)__builtin_popcountll(set[w]);
    return size;
}

void lin_layers_clear(struct lin_layers *l) {
    lin_index_clear(&l->index);
    l->n = 0;
    memset(l->first, 0xff, sizeof l->first);
}

bool lin_layers_add(struct lin_graph *g, struct lin_layers *l, const uint64_t *config) {
    bool grown;
    if (!lin_index_room(g->run, &l->index, &grown))
        return false;
    for (uint32_t i = 0; grown && i < l->n; i++)
        lin_index_put(&l->index, lin_hash_words(l->word + (size_t)i * g->stride, g->stride), i);
    uint32_t mask = l->index.slots - 1, h = (uint32_t)lin_hash_words(config, g->stride) & mask;
    for (; l->index.slot[h] != LIN_NO; h = (h + 1) & mask)
        if (!memcmp(l->word + (size_t)l->index.slot[h] * g->stride, config, g->stride * 8))
            return true;
    if (l->n == l->room) {
        uint32_t room = l->room ? 2 * l->room : 64;
        if (!lin_grow(g->run, (void **)&l->word, (size_t)l->n * g->stride, (size_t)room * g->stride, 8) ||
            !lin_grow(g->run, (void **)&l->next, l->n, room, sizeof *l->next))
            return false;
        l->room = room;
    }
    uint32_t size = lin_size(g, config + 1);
    memcpy(l->word + (size_t)l->n * g->stride, config, g->stride * 8);
    l->index.slot[h] = l->n;
    l->index.n++;
    l->next[l->n] = l->first[size];
    l->first[size] = l->n++;
    return true;
}

/* -- nodes ----------------------------------------------------------------------------------------------------- */

uint32_t lin_new_node(struct lin_graph *g, int64_t value, uint32_t height) {
    if (g->nodes == g->node_room) {
        uint32_t room = g->node_room ? 2 * g->node_room : 64;
        if (!lin_grow(g->run, (void **)&g->node, g->nodes, room, sizeof *g->node))
            return LIN_NO;
        g->node_room = room;
    }
    g->node[g->nodes] = (struct lin_gs_node){value, height, LIN_NO};
    return g->nodes++;
}

/* Edges go down by number, each once. */
bool lin_add_edge(struct lin_graph *g, uint32_t node, uint32_t below) {
    if (g->edges == g->edge_room) {
        uint32_t room = g->edge_room ? 2 * g->edge_room : 64;
        if (!lin_grow(g->run, (void **)&g->edge, g->edges, room, sizeof *g->edge))
            return false;
        g->edge_room = room;
    }
    uint32_t *at = &g->node[node].edge;
    while (*at != LIN_NO && g->edge[*at].below > below)
        at = &g->edge[*at].next;
    if (*at != LIN_NO && g->edge[*at].below == below)
        return true;
    g->edge[g->edges] = (struct lin_gs_edge){below, *at};
    *at = g->edges++;
    return true;
}

static uint64_t lin_fresh_hash(const struct lin_graph *g, const uint64_t *set, int64_t value, uint32_t height) {
    return lin_hash_words(set, g->sets) ^ lin_mix((uint64_t)value * 0xff51afd7ed558ccdu + height);
}

uint32_t lin_push_on(struct lin_graph *g, uint32_t below, int64_t value, const uint64_t *set) {
    uint32_t height = g->capacity ? g->node[below].height + 1 : 0, made = g->nodes - g->old;
    bool grown;
    if (!lin_index_room(g->run, &g->fresh, &grown))
        return LIN_NO;
    for (uint32_t i = 0; grown && i < made; i++)
        lin_index_put(
            &g->fresh,
            lin_fresh_hash(g, g->made + (size_t)i * g->sets, g->node[g->old + i].value, g->node[g->old + i].height),
            g->old + i);
    uint64_t hash = lin_fresh_hash(g, set, value, height);
    uint32_t mask = g->fresh.slots - 1, h = (uint32_t)hash & mask;
    for (; g->fresh.slot[h] != LIN_NO; h = (h + 1) & mask) {
        uint32_t x = g->fresh.slot[h];
        if (g->node[x].value == value && g->node[x].height == height &&
            !memcmp(g->made + (size_t)(x - g->old) * g->sets, set, g->sets * 8))
            return lin_add_edge(g, x, below) ? x : LIN_NO;
    }
    if (made == g->made_room) {
        uint32_t room = made ? 2 * made : 64;
        if (!lin_grow(g->run, (void **)&g->made, (size_t)made * g->sets, (size_t)room * g->sets, 8))
            return LIN_NO;
        g->made_room = room;
    }
    memcpy(g->made + (size_t)made * g->sets, set, g->sets * 8);
    uint32_t x = lin_new_node(g, value, height);
    if (x == LIN_NO || !lin_add_edge(g, x, below))
        return LIN_NO;
    g->fresh.slot[h] = x;
    g->fresh.n++;
    return x;
}

static uint64_t lin_canon_hash(const struct lin_graph *g, uint32_t node) {
    uint64_t h = lin_mix((uint64_t)g->node[node].value * 0xff51afd7ed558ccdu + g->node[node].height);
    for (uint32_t e = g->node[node].edge; e != LIN_NO; e = g->edge[e].next)
        h = lin_mix(h ^ g->edge[e].below) * 0x9e3779b97f4a7c15u;
    return h;
}

static bool lin_same_node(const struct lin_graph *g, uint32_t a, uint32_t b) {
    if (g->node[a].value != g->node[b].value || g->node[a].height != g->node[b].height)
        return false;
    uint32_t e = g->node[a].edge, f = g->node[b].edge;
    for (; e != LIN_NO && f != LIN_NO && g->edge[e].below == g->edge[f].below;)
        e = g->edge[e].next, f = g->edge[f].next;
    return e == LIN_NO && f == LIN_NO;
}

/* Puts the edges of `node` to the renamed nodes below, in order. */
static void lin_rename_edges(struct lin_graph *g, uint32_t node) {
    uint32_t e = g->node[node].edge, next;
    g->node[node].edge = LIN_NO;
    for (; e != LIN_NO; e = next) {
        uint32_t below = g->renamed[g->edge[e].below], *at = &g->node[node].edge;
        next = g->edge[e].next;
        while (*at != LIN_NO && g->edge[*at].below > below)
            at = &g->edge[*at].next;
        if (*at != LIN_NO && g->edge[*at].below == below)
            continue;
        g->edge[e] = (struct lin_gs_edge){below, *at};
        *at = e;
    }
}

bool lin_settle_nodes(struct lin_graph *g, uint32_t old) {
    struct lin_layers *l = &g->next;
    struct lin_run *run = g->run;
    if (g->nodes > g->renamed_room) {
        if (!lin_grow(run, (void **)&g->renamed, 0, 2 * (size_t)g->nodes, sizeof *g->renamed))
            return false;
        g->renamed_room = 2 * g->nodes;
    }
    for (uint32_t x = 0; x < g->nodes; x++)
        g->renamed[x] = x < old ? x : LIN_NO;
    for (uint32_t i = 0; i < l->n; i++)
        g->renamed[l->word[(size_t)i * g->stride]] = 0;
    for (uint32_t x = g->nodes; x-- > old;)
        for (uint32_t e = g->renamed[x] == LIN_NO ? LIN_NO : g->node[x].edge; e != LIN_NO; e = g->edge[e].next)
            if (g->edge[e].below >= old)
                g->renamed[g->edge[e].below] = 0;
    for (uint32_t x = 0; x < old; x++)
        g->renamed[x] = x;
    if (old == 1)
        lin_index_clear(&g->canon);
    uint32_t kept = old;
    for (uint32_t x = old; x < g->nodes; x++) {
        if (g->renamed[x] == LIN_NO)
            continue;
        bool grown;
        lin_rename_edges(g, x);
        if (!lin_index_room(run, &g->canon, &grown))
            return false;
        for (uint32_t y = 1; grown && y < kept; y++)
            lin_index_put(&g->canon, lin_canon_hash(g, y), y);
        uint32_t mask = g->canon.slots - 1, h = (uint32_t)lin_canon_hash(g, x) & mask;
        while (g->canon.slot[h] != LIN_NO && !lin_same_node(g, g->canon.slot[h], x))
            h = (h + 1) & mask;
        if (g->canon.slot[h] != LIN_NO) {
            g->renamed[x] = g->canon.slot[h];
            continue;
        }
        g->node[kept] = g->node[x];
        g->canon.slot[h] = g->renamed[x] = kept++;
        g->canon.n++;
    }
    g->nodes = g->old = kept;
    return true;
}

bool lin_collect_edges(struct lin_graph *g) {
    struct lin_gs_edge *fresh = lin_alloc(g->run, g->edge_room, sizeof *fresh);
    uint32_t n = 0;
    if (!fresh)
        return false;
    for (uint32_t x = 0; x < g->nodes; x++)
        for (uint32_t *at = &g->node[x].edge; *at != LIN_NO; at = &fresh[n++].next) {
            fresh[n] = g->edge[*at];
            *at = n;
        }
    lin_free(g->run, g->edge);
    g->edge = fresh;
    g->edges = n;
    return true;
}
