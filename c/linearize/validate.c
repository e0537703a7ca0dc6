#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "linearize/parse.h"

/* For each client, the operation of it that returns last so far. */
struct lf_clients {
    uint32_t *client;
    size_t *last;
    size_t slots, n;
};

static size_t lf_client_slot(const struct lf_clients *c, uint32_t client) {
    size_t h = (client * UINT32_C(2654435761)) & (c->slots - 1);
    while (c->last[h] != SIZE_MAX && c->client[h] != client)
        h = (h + 1) & (c->slots - 1);
    return h;
}

static bool lf_clients_grow(struct lf_clients *c) {
    struct lf_clients bigger = {.slots = c->slots ? 2 * c->slots : 64};
    bigger.client = malloc(bigger.slots * sizeof *bigger.client);
    bigger.last = malloc(bigger.slots * sizeof *bigger.last);
    if (!bigger.client || !bigger.last) {
        free(bigger.client), free(bigger.last);
        return false;
    }
    for (size_t i = 0; i < bigger.slots; i++)
        bigger.last[i] = SIZE_MAX;
    for (size_t i = 0; i < c->slots; i++) {
        if (c->last[i] == SIZE_MAX)
            continue;
        size_t h = lf_client_slot(&bigger, c->client[i]);
        bigger.client[h] = c->client[i];
        bigger.last[h] = c->last[i];
    }
    bigger.n = c->n;
    free(c->client), free(c->last);
    *c = bigger;
    return true;
}

struct lf_timed {
    uint64_t call, ret;
    size_t op;
};
static int lf_by_call(const void *a, const void *b) {
    const struct lf_timed *x = a, *y = b;
    if (x->call != y->call)
        return x->call < y->call ? -1 : 1;
    if (x->ret != y->ret)
        return x->ret < y->ret ? -1 : 1;
    return x->op < y->op ? -1 : x->op > y->op;
}

/* One pass in the given order (NULL: file order); *sorted becomes false when a client goes back in time. */
static int lf_pass(const struct lf_history_op *ops, size_t count, const struct lf_timed *order, bool *sorted,
                   size_t *at, size_t *other) {
    struct lf_clients c = {0};
    int fault = LF_HISTORY_FINE;
    for (size_t k = 0; k < count && !fault && *sorted; k++) {
        size_t i = order ? order[k].op : k;
        const struct lf_history_op *o = &ops[i];
        *at = i;
        if (2 * (c.n + 1) > c.slots && !lf_clients_grow(&c)) {
            fault = LF_HISTORY_NO_MEMORY;
            break;
        }
        if (o->call >= UINT64_C(1) << 62 || (o->ret != LF_HISTORY_PENDING && o->ret >= UINT64_C(1) << 62))
            fault = LF_HISTORY_BAD_TIME;
        else if (o->ret < o->call)
            fault = LF_HISTORY_BACKWARDS;
        else if (o->op == LF_OP_NONE || (o->op > LF_OP_PUT_FRONT && o->op < LF_OP_CUSTOM))
            fault = LF_HISTORY_BAD_OP;
        size_t h = lf_client_slot(&c, o->client);
        if (c.last[h] == SIZE_MAX) {
            c.client[h] = o->client;
            c.n++;
        } else {
            const struct lf_history_op *last = &ops[c.last[h]];
            *other = c.last[h];
            if (o->call < last->call)
                *sorted = false;
            if (fault)
                continue;
            if (o->batch && o->batch == last->batch) {
                if (o->call != last->call || o->ret != last->ret)
                    fault = LF_HISTORY_BATCH_INTERVAL;
            } else if (last->ret == LF_HISTORY_PENDING)
                fault = LF_HISTORY_AFTER_END;
            else if (o->call < last->ret)
                fault = LF_HISTORY_OVERLAP;
        }
        c.last[h] = i;
    }
    free(c.client), free(c.last);
    return fault;
}

int lf_history_validate(const struct lf_history_op *ops, size_t count, size_t *at, size_t *other) {
    bool sorted = true;
    int fault = lf_pass(ops, count, NULL, &sorted, at, other);
    bool order_matters = fault == LF_HISTORY_OVERLAP || fault == LF_HISTORY_AFTER_END ||
                         fault == LF_HISTORY_BATCH_INTERVAL;
    if ((sorted && !order_matters) || fault == LF_HISTORY_NO_MEMORY)
        return fault;
    struct lf_timed *order = malloc(count * sizeof *order);
    if (!order)
        return LF_HISTORY_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        order[i] = (struct lf_timed){ops[i].call, ops[i].ret, i};
    qsort(order, count, sizeof *order, lf_by_call);
    sorted = true;
    fault = lf_pass(ops, count, order, &sorted, at, other);
    free(order);
    return fault;
}
