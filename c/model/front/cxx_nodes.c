/* cxx_nodes.c: the functions that link the nodes of std::map, std::set and std::list. The C++ library has them compiled,
 * so what they read and write would not be seen. Red-black trees as in Cormen et al., Introduction to Algorithms. */
#include "client_memory.h"

enum { RED, BLACK };
struct node {
    int color;
    struct node *parent;   /* of the header: the root; of the root: the header */
    struct node *child[2]; /* left and right; of the header: the first and the last node */
};

#define GET(place) (reads(&(place), sizeof(place), pc), (place))
#define SET(place, value) (writes(&(place), sizeof(place), pc), (void)((place) = (value)))

/* The outermost node below x on one side. */
static struct node *outermost(struct node *x, int side, uint64_t pc) {
    for (struct node *next; (next = GET(x->child[side])) != NULL;)
        x = next;
    return x;
}

/* The next node on one side; that of the last one is the header. */
static struct node *neighbour(struct node *x, int side, uint64_t pc) {
    struct node *below = GET(x->child[side]);
    if (below != NULL)
        return outermost(below, !side, pc);
    struct node *above = GET(x->parent);
    while (x == GET(above->child[side])) {
        x = above;
        above = GET(above->parent);
    }
    return GET(x->child[side]) != above ? above : x; /* the root may be the last node: then x is the header */
}

static struct node *before(struct node *x, uint64_t pc) {
    if (GET(x->color) == RED && GET(GET(x->parent)->parent) == x) /* only the header is red and its parent's parent */
        return GET(x->child[1]);
    return neighbour(x, 0, pc);
}

#define WALK(symbol, name, ...)                                                                                        \
    struct node *name(struct node *x) __asm__(symbol);                                                                 \
    struct node *name(struct node *x) { return __VA_ARGS__; }
WALK("_ZSt18_Rb_tree_incrementPSt18_Rb_tree_node_base", lf_cxx_next, neighbour(x, 1, PC))
WALK("_ZSt18_Rb_tree_incrementPKSt18_Rb_tree_node_base", lf_cxx_next_const, neighbour(x, 1, PC))
WALK("_ZSt18_Rb_tree_decrementPSt18_Rb_tree_node_base", lf_cxx_before, before(x, PC))
WALK("_ZSt18_Rb_tree_decrementPKSt18_Rb_tree_node_base", lf_cxx_before_const, before(x, PC))

/* Puts `new` in the place of the child `old` of its parent. */
static void replace(struct node *old, struct node *new, struct node *header, uint64_t pc) {
    struct node *parent = GET(old->parent);
    if (GET(header->parent) == old)
        SET(header->parent, new);
    else
        SET(parent->child[GET(parent->child[1]) == old], new);
    if (new != NULL)
        SET(new->parent, parent);
}

/* x goes down to one side, and its other child takes its place. */
static void rotate(struct node *x, int side, struct node *header, uint64_t pc) {
    struct node *up = GET(x->child[!side]), *inner = GET(up->child[side]);
    replace(x, up, header, pc);
    SET(x->child[!side], inner);
    if (inner != NULL)
        SET(inner->parent, x);
    SET(up->child[side], x);
    SET(x->parent, up);
}

static bool is_black(struct node *x, uint64_t pc) { return x == NULL || GET(x->color) == BLACK; }

/* Adding or removing a node changes the container: [container.requirements.dataraces] of the standard. So it races with
 * each look at the container, also where the two touch different nodes. */
static void changes(struct node *header, uint64_t pc) { writes(&header->parent, sizeof header->parent, pc); }

void lf_cxx_insert(bool left, struct node *x, struct node *parent,
                   struct node *header) __asm__("_ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_");
void lf_cxx_insert(bool left, struct node *x, struct node *parent, struct node *header) {
    uint64_t pc = PC;
    changes(header, pc);
    SET(x->color, RED);
    SET(x->parent, parent);
    SET(x->child[0], NULL);
    SET(x->child[1], NULL);
    if (parent == header) {
        SET(header->parent, x);
        SET(header->child[0], x);
        SET(header->child[1], x);
    } else {
        SET(parent->child[!left], x);
        if (GET(header->child[!left]) == parent)
            SET(header->child[!left], x);
    }
    while (x != GET(header->parent) && !is_black(parent = GET(x->parent), pc)) {
        struct node *above = GET(parent->parent);
        int side = parent == GET(above->child[1]);
        struct node *uncle = GET(above->child[!side]);
        SET(above->color, RED);
        if (!is_black(uncle, pc)) {
            SET(parent->color, BLACK);
            SET(uncle->color, BLACK);
            x = above;
            continue;
        }
        if (x == GET(parent->child[!side])) {
            x = parent;
            rotate(x, side, header, pc);
        }
        SET(GET(x->parent)->color, BLACK);
        rotate(above, !side, header, pc);
    }
    SET(GET(header->parent)->color, BLACK);
}

/* The path to x, a child of `parent`, has one black node too few. */
static void mend(struct node *x, struct node *parent, struct node *header, uint64_t pc) {
    while (x != GET(header->parent) && is_black(x, pc)) {
        int side = x != GET(parent->child[0]);
        struct node *sibling = GET(parent->child[!side]);
        if (!is_black(sibling, pc)) {
            SET(sibling->color, BLACK);
            SET(parent->color, RED);
            rotate(parent, side, header, pc);
            sibling = GET(parent->child[!side]);
        }
        if (is_black(GET(sibling->child[0]), pc) && is_black(GET(sibling->child[1]), pc)) {
            SET(sibling->color, RED);
            x = parent;
            parent = GET(x->parent);
            continue;
        }
        if (is_black(GET(sibling->child[!side]), pc)) {
            SET(GET(sibling->child[side])->color, BLACK);
            SET(sibling->color, RED);
            rotate(sibling, !side, header, pc);
            sibling = GET(parent->child[!side]);
        }
        SET(sibling->color, GET(parent->color));
        SET(parent->color, BLACK);
        SET(GET(sibling->child[!side])->color, BLACK);
        rotate(parent, side, header, pc);
        return;
    }
    if (x != NULL)
        SET(x->color, BLACK);
}

struct node *lf_cxx_erase(struct node *z,
                          struct node *header) __asm__("_ZSt28_Rb_tree_rebalance_for_erasePSt18_Rb_tree_node_baseRS_");
struct node *lf_cxx_erase(struct node *z, struct node *header) {
    uint64_t pc = PC;
    changes(header, pc);
    struct node *left = GET(z->child[0]), *right = GET(z->child[1]), *x, *parent;
    int color = GET(z->color);
    if (left == NULL || right == NULL) {
        x = left != NULL ? left : right;
        parent = GET(z->parent);
        replace(z, x, header, pc);
        for (int side = 0; side < 2; side++)
            if (GET(header->child[side]) == z)
                SET(header->child[side], x == NULL ? parent : outermost(x, side, pc));
    } else {
        struct node *next = outermost(right, 0, pc);
        x = GET(next->child[1]);
        parent = next;
        if (next != right) {
            parent = GET(next->parent);
            replace(next, x, header, pc);
            SET(next->child[1], right);
            SET(right->parent, next);
        }
        replace(z, next, header, pc);
        SET(next->child[0], left);
        SET(left->parent, next);
        int taken = GET(next->color);
        SET(next->color, color);
        color = taken;
    }
    if (color == BLACK)
        mend(x, parent, header, pc);
    return z;
}

struct link {
    struct link *next, *previous;
};

static void join(struct link *one, struct link *two, uint64_t pc) {
    SET(one->next, two);
    SET(two->previous, one);
}

void lf_cxx_hook(struct link *x, struct link *at) __asm__("_ZNSt8__detail15_List_node_base7_M_hookEPS0_");
void lf_cxx_hook(struct link *x, struct link *at) {
    uint64_t pc = PC;
    join(GET(at->previous), x, pc);
    join(x, at, pc);
}
void lf_cxx_unhook(struct link *x) __asm__("_ZNSt8__detail15_List_node_base9_M_unhookEv");
void lf_cxx_unhook(struct link *x) {
    uint64_t pc = PC;
    join(GET(x->previous), GET(x->next), pc);
}
/* Moves those from `first` to the one before `last`. */
void lf_cxx_transfer(struct link *at, struct link *first,
                     struct link *last) __asm__("_ZNSt8__detail15_List_node_base11_M_transferEPS0_S1_");
void lf_cxx_transfer(struct link *at, struct link *first, struct link *last) {
    uint64_t pc = PC;
    if (at == last)
        return;
    struct link *end = GET(last->previous);
    join(GET(first->previous), last, pc);
    join(GET(at->previous), first, pc);
    join(end, at, pc);
}
void lf_cxx_reverse(struct link *x) __asm__("_ZNSt8__detail15_List_node_base10_M_reverseEv");
void lf_cxx_reverse(struct link *x) {
    uint64_t pc = PC;
    struct link *at = x;
    do {
        struct link *next = GET(at->next), *previous = GET(at->previous);
        SET(at->next, previous);
        SET(at->previous, next);
        at = next;
    } while (at != x);
}
void lf_cxx_swap(struct link *a, struct link *b) __asm__("_ZNSt8__detail15_List_node_base4swapERS0_S1_");
void lf_cxx_swap(struct link *a, struct link *b) {
    uint64_t pc = PC;
    struct link *first[2] = {GET(a->next), GET(b->next)}, *last[2] = {GET(a->previous), GET(b->previous)};
    struct link *of[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        bool empty = first[!i] == of[!i];
        join(of[i], empty ? of[i] : first[!i], pc);
        join(empty ? of[i] : last[!i], of[i], pc);
    }
}
