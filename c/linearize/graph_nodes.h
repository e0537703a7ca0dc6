/* A graph-structured stack: what the frontier search for stacks holds, and what its two files ask of each other. */
#ifndef LF_LINEARIZE_GRAPH_NODES_H
#define LF_LINEARIZE_GRAPH_NODES_H

#include "linearize/search.h"

enum { LIN_BOTTOM = 0, LIN_GS_COLLECT = 1 << 16 };

struct lin_gs_node {
    int64_t value;
    uint32_t height; /* 0 if there is no capacity: then it does not matter */
    uint32_t edge;   /* the first, LIN_NO: none */
};

struct lin_gs_edge {
    uint32_t below, next;
};

/* A hash table of numbers. */
struct lin_index {
    uint32_t *slot, slots, n;
};

/* Configurations: `stride` words each, {node, set of open operations}, in a list for each size of the set. */
struct lin_layers {
    uint64_t *word;
    uint32_t *next, n, room;
    struct lin_index index;
    uint32_t first[LIN_OPEN_MAX + 1];
};

struct lin_graph {
    struct lin_problem *p;
    struct lin_run *run;
    uint32_t stride, sets;
    int64_t capacity;
    bool plain;
    bool late;                   /* what never returned takes effect just before an operation that needs it */
    uint32_t *depth, depth_room; /* nodes under one, by how many are above them */
    struct lin_gs_node *node;
    struct lin_gs_edge *edge;
    uint32_t nodes, node_room, edges, edge_room;
    uint32_t old;           /* nodes below this number are canonical */
    struct lin_index canon; /* of them */
    struct lin_index fresh; /* nodes of this return, by set and value */
    uint64_t *made;         /* [nodes of this return] their sets */
    uint32_t made_room;
    uint32_t *renamed, renamed_room;
    struct lin_layers frontier, next, seen;
    uint32_t open[LIN_OPEN_MAX];
    uint64_t alike[LIN_OPEN_MAX][LIN_WORDS_MAX];
    uint64_t used[LIN_WORDS_MAX], observer[LIN_WORDS_MAX];
    uint32_t *slot_of;
    uint32_t width; /* so many configurations are kept after a return */
    bool narrowed;  /* some were not */
    uint32_t collect_at;
};

void lin_index_clear(struct lin_index *x);
void lin_layers_clear(struct lin_layers *l);
bool lin_layers_add(struct lin_graph *g, struct lin_layers *l, const uint64_t *config);

/* The numbers of nodes; LIN_NO: no memory. */
uint32_t lin_new_node(struct lin_graph *g, int64_t value, uint32_t height);
bool lin_add_edge(struct lin_graph *g, uint32_t node, uint32_t below);
/* The node of this value on top of `below`, for configurations with this set. */
uint32_t lin_push_on(struct lin_graph *g, uint32_t below, int64_t value, const uint64_t *set);

/* Nodes from `old` on that the next frontier can reach get the number of one that says the same, if there is one; the
 * others go. With old == 1, all nodes get new numbers. */
bool lin_settle_nodes(struct lin_graph *g, uint32_t old);
/* The edges of nodes that are gone go, too. */
bool lin_collect_edges(struct lin_graph *g);

/* graph_effects.c */
/* Lets open operations that change nothing take effect where their answer is right. */
void lin_gs_observe(const struct lin_graph *g, uint64_t *config);
bool lin_gs_may_go(const struct lin_graph *g, const uint64_t *set, uint32_t slot);
/* A configuration whose set has grown: it is one of the next frontier if `slot` is in it. False: no memory. */
bool lin_gs_reach(struct lin_graph *g, uint64_t *config, uint32_t slot);
/* Has an operation never returned? *exact: it loses no order to let it wait until it is needed. */
bool lin_gs_any_late(struct lin_problem *p, bool *exact);
/* Does it wait until it is needed? */
bool lin_gs_waits(const struct lin_graph *g, uint32_t top, const struct lf_history_op *o);
/* What never returned takes effect where it is needed. False: no memory. */
bool lin_gs_use_late(struct lin_graph *g, const uint64_t *config, uint32_t slot);

#endif
