struct lf_message_ring {
    struct lf_handle h;
    uint64_t block_bytes;
    uint64_t room;
    uint64_t max_message;
    ...;
};
int lf_message_ring_try_put(struct lf_message_ring *r, const void *message, uint64_t length);
int64_t lf_message_ring_put_many(struct lf_message_ring *r, const void *messages, const uint32_t *lengths,
                                 uint64_t count);
int64_t lf_message_ring_reserve(struct lf_message_ring *r, uint64_t length);
int lf_message_ring_cancel(struct lf_message_ring *r, int64_t first);
int64_t lf_message_ring_peek(struct lf_message_ring *r, uint32_t lease, uint64_t *length);
int64_t lf_message_ring_take(struct lf_message_ring *r, int64_t first, void *out, uint64_t length);
int lf_message_ring_read(const struct lf_message_ring *r, int64_t first, void *out, uint64_t length);
int lf_message_ring_release(struct lf_message_ring *r, int64_t first);
int lf_message_ring_put_back(struct lf_message_ring *r, int64_t first);
uint64_t lf_message_ring_size(const struct lf_message_ring *r);
void lf_message_ring_close(struct lf_message_ring *r);
void lf_message_ring_shutdown(struct lf_message_ring *r, int immediate);
int lf_message_ring_task_done(struct lf_message_ring *r);
uint64_t lf_message_ring_unfinished(const struct lf_message_ring *r);
uint64_t lf_py_message_ring_blocks(struct lf_message_ring *r);
uint64_t lf_py_message_ring_most(struct lf_message_ring *r);
int lf_py_message_ring_survey(int fd, struct lf_py_survey *s);
int64_t lf_py_message_ring_free(struct lf_message_ring *r);
int64_t lf_py_message_ring_ending(struct lf_message_ring *r);
