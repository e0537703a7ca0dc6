/* The figures of a history: how many calls, and how long they took. */

/* Buckets of 1/16 relative width: 16 per power of two. */
static uint32_t lf_stress_bucket(uint64_t value) {
    if (value < 16)
        return (uint32_t)value;
    uint32_t power = 63 - (uint32_t)__builtin_clzll(value);
    return (power - 3) * 16 + (uint32_t)(value >> (power - 4) & 15);
}
/* The largest value in a bucket. */
static uint64_t lf_stress_bucket_top(uint32_t bucket) {
    if (bucket < 16)
        return bucket;
    uint32_t power = bucket / 16 + 3;
    return ((((uint64_t)16 + bucket % 16 + 1) << (power - 4))) - 1;
}

struct lf_stress_figures {
    uint64_t count[64], refused[64], pending[64], longest[64];
};

/* Adds a history to the figures: per operation, and a histogram of latencies, `buckets` numbers each; and how many
 * returned in each interval of bin_ns after `from`. */
static void lf_stress_summarise(const struct lf_history_op *ops, uint64_t count, struct lf_stress_figures *figures,
                                uint64_t *latencies, uint32_t buckets, uint64_t from, uint64_t bin_ns, uint64_t *bins,
                                uint32_t n_bins) {
    for (uint64_t i = 0; i < count; i++) {
        const struct lf_history_op *o = &ops[i];
        uint32_t op = o->op & 63u;
        figures->count[op]++;
        if (o->ret == LF_HISTORY_PENDING) {
            figures->pending[op]++;
            continue;
        }
        if (o->flags & LF_HISTORY_FAILED)
            figures->refused[op]++;
        uint64_t took = o->ret - o->call, bin = o->ret > from ? (o->ret - from) / bin_ns : 0;
        uint32_t bucket = lf_stress_bucket(took);
        latencies[(uint64_t)op * buckets + (bucket < buckets ? bucket : buckets - 1)]++;
        if (took > figures->longest[op])
            figures->longest[op] = took;
        if (bin < n_bins)
            bins[bin]++;
    }
}
