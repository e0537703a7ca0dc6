static unsigned char *lf_py_spsc_ring_payload(struct lf_spsc_ring *r, int64_t ticket) {
    return lf_spsc_ring_payload(r, ticket);
}
static int lf_py_spsc_ring_release_role(struct lf_spsc_ring *r, int role) {
    return lf_spsc_ring_release_role(r, role == 0 ? LF_PRODUCER : LF_CONSUMER);
}
LF_PY_FAST_RING(spsc_ring, lf_spsc_ring_peek(r, &length))
LF_PY_BINDER(spsc_ring)
