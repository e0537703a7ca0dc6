int lf_broadcast_ring_create(struct lf_broadcast_ring *r, const char *name, uint64_t size, uint64_t readers,
                             uint64_t slow, uint64_t start);
int lf_broadcast_ring_attach(struct lf_broadcast_ring *r, const char *name);
int lf_broadcast_ring_attach_fd(struct lf_broadcast_ring *r, int fd);
int64_t lf_broadcast_ring_join(struct lf_broadcast_ring *r, uint32_t number);
int lf_broadcast_ring_put(struct lf_broadcast_ring *r, const void *message, uint64_t length, uint64_t to,
                          uint64_t deadline);
int64_t lf_broadcast_ring_reserve_wait(struct lf_broadcast_ring *r, uint64_t length, uint64_t deadline);
int64_t lf_broadcast_ring_peek_wait(struct lf_broadcast_ring *r, uint32_t k, uint64_t *length, uint64_t deadline);
int lf_broadcast_ring_wait_readers(struct lf_broadcast_ring *r, uint64_t set, uint64_t deadline);
