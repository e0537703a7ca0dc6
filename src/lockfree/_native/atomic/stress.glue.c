/* One call on an atomic integer, chosen by weight: as a counter, as a register, or its bits as so many locks. */
enum {
    LF__ATOMIC_ADD,
    LF__ATOMIC_LOAD,
    LF__ATOMIC_STORE,
    LF__ATOMIC_READ,
    LF__ATOMIC_CAS,
    LF__ATOMIC_EXCHANGE,
    LF__ATOMIC_BIT
};

/* The orders of a read-modify-write, as often as not the weakest; a width of 4 or 8 bytes. */
#define LF__SOME_ORDER(c, call, result)                                                                                \
    switch (lf__below(c, 4)) {                                                                                         \
    case 0:                                                                                                            \
        result = call(__ATOMIC_SEQ_CST);                                                                               \
        break;                                                                                                         \
    case 1:                                                                                                            \
        result = call(__ATOMIC_ACQ_REL);                                                                               \
        break;                                                                                                         \
    default:                                                                                                           \
        result = call(__ATOMIC_RELAXED);                                                                               \
        break;                                                                                                         \
    }

static int64_t lf__atomic_number(const struct lf_atomic_cell *a, uint64_t bits) {
    return a->type == LF_CELL_U32 ? (int64_t)(uint32_t)bits : (int64_t)bits;
}

/* A value that no other client writes, in 31 bits for 4-byte cells. */
static uint64_t lf__atomic_value(const struct lf_atomic_cell *a, struct lf_stress_client *c) {
    uint64_t value = lf_stress_next_value(c);
    return a->type == LF_CELL_U32 ? (value & 0xffffff) << 7 | (c->client & 0x7f) : value;
}

#define LF__ADD4(order) __atomic_fetch_add((uint32_t *)a->value, (uint32_t)delta, order)
#define LF__ADD8(order) __atomic_fetch_add(a->value, (uint64_t)delta, order)
#define LF__EXCHANGE4(order) __atomic_exchange_n((uint32_t *)a->value, (uint32_t)value, order)
#define LF__EXCHANGE8(order) __atomic_exchange_n(a->value, value, order)

static uint64_t lf__atomic_load(const struct lf_atomic_cell *a, struct lf_stress_client *c) {
    const uint32_t *half = (const uint32_t *)a->value;
    if (lf__below(c, 2) == 0)
        return a->type == LF_CELL_U32 ? lf_load_acquire(half) : lf_load_acquire(a->value);
    return a->type == LF_CELL_U32 ? lf_load_seq_cst(half) : lf_load_seq_cst(a->value);
}

static int lf__stress_bit(struct lf_atomic_cell *a, struct lf_stress_client *c) {
    uint32_t bit = (uint32_t)lf__below(c, 6), *half = (uint32_t *)a->value;
    uint64_t mask = UINT64_C(1) << bit, before;
    int wide = a->type != LF_CELL_U32;
    if ((uint64_t)c->held & mask) {
        lf_stress_open(c, LF_OP_RELEASE, 1, 0);
        lf_stress_key(c, bit);
        if (lf__below(c, 2) == 0)
            before = wide ? lf_fetch_and_seq_cst(a->value, ~mask) : lf_fetch_and_seq_cst(half, (uint32_t)~mask);
        else
            before = wide ? lf_fetch_xor_seq_cst(a->value, mask) : lf_fetch_xor_seq_cst(half, (uint32_t)mask);
        lf_stress_close_put(c, (before & mask) == 0);
        c->held &= ~(int64_t)mask;
        return LF_OK;
    }
    lf_stress_open(c, LF_OP_ACQUIRE, 1, 0);
    lf_stress_key(c, bit);
    before = wide ? lf_fetch_or_seq_cst(a->value, mask) : lf_fetch_or_seq_cst(half, (uint32_t)mask);
    lf_stress_close_put(c, (before & mask) != 0);
    if ((before & mask) == 0)
        c->held |= (int64_t)mask;
    return LF_OK;
}

static int lf__stress_cas(struct lf_atomic_cell *a, struct lf_stress_client *c) {
    uint64_t desired = lf__atomic_value(a, c), seen = lf__atomic_load(a, c), expected = seen;
    uint32_t seen4 = (uint32_t)seen, *half = (uint32_t *)a->value;
    if (lf__below(c, 4) == 0)
        lf_pause();
    lf_stress_open(c, LF_OP_CAS, lf__atomic_number(a, expected), lf__atomic_number(a, desired));
    int done = a->type == LF_CELL_U32 ? lf_cas_acq_rel(half, &seen4, (uint32_t)desired)
                                      : lf_cas_acq_rel(a->value, &seen, desired);
    if (done)
        lf_stress_close_put(c, 0);
    else
        lf_stress_close_as(c, LF_OP_READ, LF_HISTORY_NONE, 0,
                           lf__atomic_number(a, a->type == LF_CELL_U32 ? seen4 : seen));
    return LF_OK;
}

static int lf__stress_atomic(struct lf_atomic_cell *a, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c), *half = (uint32_t *)a->value;
    uint64_t value, before = 0, delta;
    int wide = a->type != LF_CELL_U32;
    switch (which) {
    case LF__ATOMIC_ADD:
        delta = 1 + lf__below(c, 9);
        lf_stress_open(c, LF_OP_FETCH_ADD, (int64_t)delta, 0);
        if (wide) {
            LF__SOME_ORDER(c, LF__ADD8, before)
        } else {
            LF__SOME_ORDER(c, LF__ADD4, before)
        }
        lf_stress_close(c, lf__atomic_number(a, before), 0, 0);
        return LF_OK;
    case LF__ATOMIC_LOAD:
    case LF__ATOMIC_READ:
        lf_stress_open(c, which == LF__ATOMIC_LOAD ? LF_OP_LOAD : LF_OP_READ,
                       which == LF__ATOMIC_LOAD ? 0 : LF_HISTORY_NONE, 0);
        before = lf__atomic_load(a, c);
        lf_stress_close(c, lf__atomic_number(a, before), 0, 0);
        return LF_OK;
    case LF__ATOMIC_STORE:
        value = lf__atomic_value(a, c);
        lf_stress_open(c, LF_OP_WRITE, lf__atomic_number(a, value), 0);
        if (wide)
            lf_store_release(a->value, value);
        else
            lf_store_release(half, (uint32_t)value);
        lf_stress_close_put(c, 0);
        return LF_OK;
    case LF__ATOMIC_EXCHANGE:
        value = lf__atomic_value(a, c);
        lf_stress_open(c, LF_OP_WRITE, lf__atomic_number(a, value), 0);
        if (wide) {
            LF__SOME_ORDER(c, LF__EXCHANGE8, before)
        } else {
            LF__SOME_ORDER(c, LF__EXCHANGE4, before)
        }
        lf_stress_close_as(c, LF_OP_CAS, lf__atomic_number(a, before), lf__atomic_number(a, value), LF_HISTORY_NONE);
        return LF_OK;
    case LF__ATOMIC_CAS:
        return lf__stress_cas(a, c);
    default:
        return lf__stress_bit(a, c);
    }
}
LF_STRESS_LOOP(struct lf_atomic_cell, atomic)
