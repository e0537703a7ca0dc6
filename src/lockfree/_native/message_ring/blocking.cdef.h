int lf_py_message_ring_create(struct lf_message_ring *r, const char *name, const char *note, uint64_t blocks,
                              uint64_t block_bytes, uint64_t most, uint64_t start);
int lf_message_ring_attach(struct lf_message_ring *r, const char *name);
int lf_message_ring_attach_fd(struct lf_message_ring *r, int fd);
int lf_message_ring_put(struct lf_message_ring *r, const void *message, uint64_t length, uint64_t deadline);
int64_t lf_message_ring_reserve_wait(struct lf_message_ring *r, uint64_t length, uint64_t deadline);
int64_t lf_message_ring_peek_wait(struct lf_message_ring *r, uint32_t lease, uint64_t *length, uint64_t deadline);
int lf_message_ring_join(struct lf_message_ring *r, uint64_t deadline);
