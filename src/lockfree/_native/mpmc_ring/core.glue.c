static unsigned char *lf_py_mpmc_ring_payload(struct lf_mpmc_ring *r, int64_t index) {
    return lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index));
}
LF_PY_FAST_RING(mpmc_ring, lf_mpmc_ring_peek(r, 0, &length))
LF_PY_BINDER(mpmc_ring)
