/* priority_history.h: is a history of a priority queue linearizable? O(n log n), for distinct values.
 *
 * Contract: strict minimum, FIFO within a level, exact EMPTY, and FULL only if, at one instant of the call, records
 * inside and in the hands of running operations filled the capacity.
 * A withdrawal takes its record at any place in the queue; one that comes too late has been overtaken by a get or another
 * withdrawal. The slot of a withdrawn record may be in the hands of a get that runs at the same time.
 * Every instant (call or return) is a number of its own; gap i lies between the instants i and i + 1. Levels are gone
 * through from the most urgent one; `covered` is the union of the gaps during which a more urgent record was certainly
 * inside: between the return of its put and the call of its get. A get must have a gap that is not covered. */
#ifndef LOCKFREE_TESTS_PRIORITY_HISTORY_H
#define LOCKFREE_TESTS_PRIORITY_HISTORY_H

#include "check.h"

#include <stdint.h>
#include <string.h>

enum { OP_PUT, OP_GET, OP_EMPTY, OP_FULL, OP_WITHDRAWN, OP_TOO_LATE };

struct operation {
    uint32_t kind;
    uint32_t level;
    uint64_t value;  /* puts number their values 0, 1, 2 … without gaps, in any order */
    uint64_t call;   /* instants 0, 1, 2 … */
    uint64_t answer; /* UINT64_MAX: it never returned */
};

struct presence {
    uint64_t put_call, put_return, get_call, get_return; /* `end`: never */
    uint32_t level, was_put, was_got, was_withdrawn;
    uint64_t occupied_until;
};

struct gaps {
    uint64_t *next, *previous; /* towards the nearest gap that is not covered; the last one never is */
};

static uint64_t gap_find(uint64_t *link, uint64_t at) {
    uint64_t root = at;
    while (link[root] != root)
        root = link[root];
    while (link[at] != root) {
        uint64_t step = link[at];
        link[at] = root;
        at = step;
    }
    return root;
}

/* Gaps stand one further up in the links, so that gap -1 exists. */
static uint64_t uncovered_from(struct gaps *g, uint64_t gap) { return gap_find(g->next, gap + 1) - 1; }
static uint64_t uncovered_until(struct gaps *g, uint64_t gap) { return gap_find(g->previous, gap + 1) - 1; }
static void cover(struct gaps *g, uint64_t from, uint64_t until) {
    for (uint64_t gap = uncovered_from(g, from); gap < until; gap = uncovered_from(g, gap)) {
        g->next[gap + 1] = gap + 2;
        g->previous[gap + 1] = gap;
    }
}

static int by_put_call(const void *a, const void *b) {
    uint64_t x = (*(struct presence *const *)a)->put_call, y = (*(struct presence *const *)b)->put_call;
    return x < y ? -1 : x > y;
}
static int by_put_return(const void *a, const void *b) {
    uint64_t x = (*(struct presence *const *)a)->put_return, y = (*(struct presence *const *)b)->put_return;
    return x < y ? -1 : x > y;
}
static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* NULL, or what is wrong with it. */
static const char *history_fault(const struct operation *ops, uint64_t n, uint64_t capacity, uint32_t levels) {
    uint64_t end = 1, values = 0, started = 0, *occupied;
    const char *fault = NULL;
    struct gaps g;
    for (uint64_t i = 0; i < n; i++) {
        end = most(end, ops[i].call + 2);
        if (ops[i].answer != UINT64_MAX)
            end = most(end, ops[i].answer + 2);
        if (ops[i].kind == OP_PUT)
            values = most(values, ops[i].value + 1);
    }
    struct presence *table = (struct presence *)calloc(values + 1, sizeof *table);
    struct presence **calls = (struct presence **)calloc(2 * values + 2, sizeof *calls), **returns = calls + values + 1;
    g.next = (uint64_t *)calloc(2 * (end + 3), sizeof *g.next);
    g.previous = g.next + end + 3;
    occupied = (uint64_t *)calloc(end + 3, sizeof *occupied);
    CHECK(table != NULL && calls != NULL && g.next != NULL && occupied != NULL);
    for (uint64_t i = 0; i < end + 3; i++)
        g.next[i] = g.previous[i] = i;
    for (uint64_t v = 0; v < values; v++)
        table[v].get_call = table[v].get_return = end;
    for (uint64_t i = 0; i < n && fault == NULL; i++) {
        const struct operation *op = &ops[i];
        int takes = op->kind == OP_GET || op->kind == OP_WITHDRAWN;
        struct presence *p = (op->kind == OP_PUT || takes) && op->value < values ? &table[op->value] : NULL;
        if (takes && p == NULL) {
            fault = "a record that nobody put";
        } else if (op->kind == OP_PUT) {
            fault = p->was_put ? "put twice (a mistake of the test)" : NULL;
            p->was_put = 1;
            p->put_call = op->call;
            p->put_return = least(op->answer, end);
            p->level = op->level;
        } else if (takes) {
            fault = p->was_got ? "got twice" : NULL;
            p->was_got = 1;
            p->was_withdrawn = op->kind == OP_WITHDRAWN;
            p->get_call = op->call;
            p->get_return = least(op->answer, end);
        }
    }
    for (uint64_t i = 0; i < n && fault == NULL; i++)
        if (ops[i].kind == OP_GET && ops[i].answer != UINT64_MAX && table[ops[i].value].level != ops[i].level)
            fault = "got from another level than it was put into";
    for (uint64_t v = 0; v < values; v++) {
        struct presence *p = &table[v];
        p->occupied_until = p->get_return;
        for (uint64_t i = 0; i < n && p->was_withdrawn; i++)
            if ((ops[i].kind == OP_GET || ops[i].kind == OP_EMPTY) && ops[i].call < p->get_return)
                p->occupied_until = most(p->occupied_until, least(ops[i].answer, end));
    }
    for (uint64_t v = 0; v < values && fault == NULL; v++) {
        struct presence *p = &table[v];
        if (p->was_got && !p->was_put)
            fault = "a record that nobody put";
        else if (p->was_got && p->get_return < p->put_call)
            fault = "got before it was put";
        p->put_return = least(p->put_return, p->get_return);
        p->get_call = most(p->get_call, p->put_call);
        if (p->was_put) {
            occupied[p->put_call]++;
            occupied[most(p->occupied_until, p->put_call)]--; /* unsigned: the sums come out right */
            started++;
        }
    }
    for (uint32_t level = 0; level < levels && started > 0 && fault == NULL; level++) {
        uint64_t count = 0, overtaken = 0, at = 0;
        for (uint64_t v = 0; v < values; v++)
            if (table[v].was_put && table[v].level == level)
                calls[count] = returns[count] = &table[v], count++;
        for (uint64_t i = 0; i < count && fault == NULL; i++) {
            struct presence *p = calls[i];
            if (!p->was_got || p->was_withdrawn)
                continue;
            uint64_t first = uncovered_from(&g, p->get_call);
            if (first >= p->get_return) {
                fault = "taken while a more urgent record was inside";
                break;
            }
            p->get_call = first;
            p->get_return = least(p->get_return, uncovered_until(&g, p->get_return - 1) + 1);
            p->put_return = least(p->put_return, p->get_return);
        }
        qsort(calls, count, sizeof *calls, by_put_call);
        qsort(returns, count, sizeof *returns, by_put_return);
        for (uint64_t i = 0; i < count && fault == NULL; i++) {
            for (; at < count && returns[at]->put_return < calls[i]->put_call; at++)
                overtaken = most(overtaken, returns[at]->get_call);
            if (calls[i]->was_got && !calls[i]->was_withdrawn && calls[i]->get_return < overtaken)
                fault = "taken before an older record of its level";
        }
        for (uint64_t i = 0; i < count && fault == NULL; i++)
            cover(&g, calls[i]->put_return, calls[i]->get_call);
    }
    for (uint64_t i = 1; i <= end; i++)
        occupied[i] += occupied[i - 1];
    for (uint64_t i = 0; i < n && fault == NULL; i++) {
        if (ops[i].kind == OP_TOO_LATE &&
            !(table[ops[i].value].was_got && table[ops[i].value].get_call < ops[i].answer))
            fault = "too late to withdraw a record that is inside";
        if (ops[i].kind == OP_EMPTY && uncovered_from(&g, ops[i].call) >= ops[i].answer)
            fault = "EMPTY while a record was inside";
        if (ops[i].kind == OP_FULL) {
            uint64_t highest = 0;
            for (uint64_t gap = ops[i].call; gap < ops[i].answer; gap++)
                highest = most(highest, occupied[gap]);
            if (highest < capacity)
                fault = "FULL while a slot was free";
        }
    }
    free(table);
    free(calls);
    free(g.next);
    free(occupied);
    return fault;
}

#endif
