/* page_runs.h: which pages are free, and where a free run of n pages begins.
 *
 * Contract
 *   A bitmap says which pages are free. Over its words stands a binary tree; each node knows the free run at its beginning,
 *   the one at its end, and the longest in it. So the first run of n pages is found in O(log pages), and pages become
 *   free or taken in O(n / 64 + log pages), however scattered they are. Neighbouring free runs are one run by themselves.
 * The caller holds a lock. Nothing here is the truth: all of it can be derived again (lf_pages_fill, lf_pages_mark).
 * Trust: the tree stands in shared memory. What it says is compared with the bitmap before it is used; -1 if they differ.
 * Layout: words[pages / 64] of the bitmap, 1: free | nodes[2 * leaves] of the tree; node 1 is the root. */
#ifndef LOCKFREE_PAGE_RUNS_H
#define LOCKFREE_PAGE_RUNS_H

#include "base.h"

#define LF_NO_PAGE UINT32_MAX

struct lf_pages_node {
    uint32_t prefix, suffix, longest;
};
struct lf_pages {
    uint64_t *words;
    struct lf_pages_node *nodes;
    uint32_t pages;
    uint32_t leaves; /* a power of two; a leaf is a word */
};

LF_INLINE uint64_t lf_pages_words(uint64_t pages) { return (pages + 63) / 64; }
/* Of the memory of both parts, a multiple of 8. */
LF_INLINE uint64_t lf_pages_bytes(uint64_t pages) {
    uint64_t words = lf_pages_words(pages);
    return lf_round_up(words * 8 + 2 * lf_round_up_pow2(words) * sizeof(struct lf_pages_node), 8);
}
LF_INLINE void lf_pages_view(struct lf_pages *p, void *memory, uint32_t pages) {
    p->words = (uint64_t *)memory;
    p->nodes = (struct lf_pages_node *)(void *)(p->words + lf_pages_words(pages));
    p->pages = pages;
    p->leaves = (uint32_t)lf_round_up_pow2(lf_pages_words(pages));
}

/* ---- the tree ---- */

/* `n` ones in a row, the lowest first; 64 if there are none. */
LF_INLINE uint32_t lf__pages_in_word(uint64_t word, uint32_t n) {
    for (uint32_t at = 0; word != 0;) {
        uint32_t gap = (uint32_t)__builtin_ctzll(word);
        word >>= gap;
        at += gap;
        uint32_t run = ~word == 0 ? 64 : (uint32_t)__builtin_ctzll(~word);
        if (run >= n)
            return at;
        word >>= run; /* run < 64: a full word is longer than any n asked for here */
        at += run;
    }
    return 64;
}
LF_INLINE void lf__pages_leaf(const struct lf_pages *p, uint32_t leaf) {
    struct lf_pages_node *node = &p->nodes[p->leaves + leaf];
    uint64_t word = leaf < lf_pages_words(p->pages) ? p->words[leaf] : 0;
    node->longest = 0;
    if (~word == 0) {
        node->prefix = node->suffix = node->longest = 64;
        return;
    }
    node->prefix = (uint32_t)__builtin_ctzll(~word);
    node->suffix = (uint32_t)__builtin_clzll(~word);
    while (word != 0) {
        word >>= __builtin_ctzll(word);
        uint32_t run = ~word == 0 ? 64 : (uint32_t)__builtin_ctzll(~word);
        node->longest = run > node->longest ? run : node->longest;
        word = run < 64 ? word >> run : 0;
    }
}
/* A node from its children, each of which stands for `span` pages. */
LF_INLINE void lf__pages_join(const struct lf_pages *p, uint32_t node, uint32_t span) {
    struct lf_pages_node *it = &p->nodes[node];
    const struct lf_pages_node *left = &p->nodes[2 * node], *right = &p->nodes[2 * node + 1];
    uint32_t middle = left->suffix + right->prefix;
    it->prefix = left->prefix == span ? span + right->prefix : left->prefix;
    it->suffix = right->suffix == span ? span + left->suffix : right->suffix;
    it->longest = left->longest > right->longest ? left->longest : right->longest;
    it->longest = middle > it->longest ? middle : it->longest;
}
/* After the words first..last have changed. */
LF_INLINE void lf__pages_refresh(const struct lf_pages *p, uint32_t first, uint32_t last) {
    for (uint32_t leaf = first; leaf <= last; leaf++)
        lf__pages_leaf(p, leaf);
    uint32_t low = p->leaves + first, high = p->leaves + last;
    for (uint32_t span = 64; low > 1; span *= 2) {
        low /= 2;
        high /= 2;
        for (uint32_t node = low; node <= high; node++)
            lf__pages_join(p, node, span);
    }
}

/* ---- changing ---- */

LF_INLINE uint64_t lf__pages_mask(uint32_t from, uint32_t count) { /* 1 <= count, from + count <= 64 */
    return ~UINT64_C(0) >> (64 - count) << from;
}
/* Whether the pages are all free, or all taken. */
LF_INLINE int lf_pages_are(const struct lf_pages *p, uint32_t first, uint32_t n, int are_free) {
    if (n == 0 || first >= p->pages || n > p->pages - first)
        return 0;
    for (uint32_t done = 0; done < n;) {
        uint32_t bit = (first + done) % 64, count = 64 - bit < n - done ? 64 - bit : n - done;
        uint64_t mask = lf__pages_mask(bit, count), word = p->words[(first + done) / 64];
        if ((word & mask) != (are_free ? mask : 0))
            return 0;
        done += count;
    }
    return 1;
}
/* Marks pages in the bitmap alone. They are all of the other kind; else -1, and nothing is changed. */
LF_INLINE int lf_pages_mark_only(const struct lf_pages *p, uint32_t first, uint32_t n, int become_free) {
    if (!lf_pages_are(p, first, n, !become_free))
        return -1;
    for (uint32_t done = 0; done < n;) {
        uint32_t bit = (first + done) % 64, count = 64 - bit < n - done ? 64 - bit : n - done;
        p->words[(first + done) / 64] ^= lf__pages_mask(bit, count);
        done += count;
    }
    return 0;
}
LF_INLINE int lf_pages_mark(const struct lf_pages *p, uint32_t first, uint32_t n, int become_free) {
    if (lf_pages_mark_only(p, first, n, become_free) != 0)
        return -1;
    lf__pages_refresh(p, first / 64, (first + n - 1) / 64);
    return 0;
}
/* The whole tree from the bitmap. */
LF_INLINE void lf_pages_grow_tree(const struct lf_pages *p) { lf__pages_refresh(p, 0, p->leaves - 1); }
/* Everything is free; the tree is not made yet. */
LF_INLINE void lf_pages_fill(const struct lf_pages *p) {
    for (uint64_t i = 0; i < lf_pages_words(p->pages); i++)
        p->words[i] = ~UINT64_C(0);
    if (p->pages % 64 != 0)
        p->words[p->pages / 64] = lf__pages_mask(0, p->pages % 64);
}

/* ---- finding ---- */

LF_INLINE uint32_t lf_pages_longest(const struct lf_pages *p) { return p->nodes[1].longest; }

/* Where the lowest free run of at least n pages begins; LF_NO_PAGE if there is none. */
LF_INLINE uint32_t lf_pages_find(const struct lf_pages *p, uint32_t n) {
    uint32_t node = 1, span = 64 * p->leaves, first = 0;
    if (n == 0 || p->nodes[1].longest < n)
        return LF_NO_PAGE;
    while (node < p->leaves) {
        const struct lf_pages_node *left = &p->nodes[2 * node], *right = &p->nodes[2 * node + 1];
        span /= 2;
        if (left->longest >= n) {
            node = 2 * node;
        } else if (left->suffix + right->prefix >= n) {
            return first + span - (left->suffix < span ? left->suffix : span);
        } else {
            node = 2 * node + 1;
            first += span;
        }
    }
    uint32_t leaf = node - p->leaves;
    if (leaf >= lf_pages_words(p->pages) || n > 64)
        return LF_NO_PAGE;
    uint32_t bit = lf__pages_in_word(p->words[leaf], n);
    return bit < 64 ? first + bit : LF_NO_PAGE;
}

/* The free run that begins at `first`, or after it: its beginning, and *length. LF_NO_PAGE: there is none. */
LF_INLINE uint32_t lf_pages_next_run(const struct lf_pages *p, uint32_t first, uint32_t *length) {
    while (first < p->pages && (p->words[first / 64] >> first % 64) == 0)
        first = (first / 64 + 1) * 64;
    if (first >= p->pages)
        return LF_NO_PAGE;
    first += (uint32_t)__builtin_ctzll(p->words[first / 64] >> first % 64);
    uint32_t end = first;
    while (end < p->pages) {
        uint64_t taken = ~p->words[end / 64] >> end % 64;
        if (taken != 0) {
            end += (uint32_t)__builtin_ctzll(taken);
            break;
        }
        end = (end / 64 + 1) * 64;
    }
    *length = (end < p->pages ? end : p->pages) - first;
    return first;
}

#endif
