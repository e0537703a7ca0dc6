int lf_py_mpmc_ring_create(struct lf_mpmc_ring *r, const char *name, const char *note, uint64_t capacity,
                           uint64_t record_size, uint64_t start);
int lf_mpmc_ring_attach(struct lf_mpmc_ring *r, const char *name);
int lf_mpmc_ring_attach_fd(struct lf_mpmc_ring *r, int fd);
int lf_mpmc_ring_put(struct lf_mpmc_ring *r, const void *record, uint64_t length, uint64_t deadline);
int64_t lf_mpmc_ring_get(struct lf_mpmc_ring *r, void *record, uint64_t deadline);
int64_t lf_mpmc_ring_reserve_wait(struct lf_mpmc_ring *r, uint64_t deadline);
int64_t lf_mpmc_ring_peek_wait(struct lf_mpmc_ring *r, uint32_t lease, uint64_t *length, uint64_t deadline);
