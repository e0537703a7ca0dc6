struct lf_broadcast_ring {
    struct lf_handle h;
    unsigned char *bytes;
    uint64_t size;
    uint64_t max_message;
    uint32_t n_readers;
    uint32_t slow;
    uint32_t late;
    uint32_t any_thread;
    uint32_t holder_pid, holder_thread;
    uint64_t behind;
    ...;
};
int lf_broadcast_ring_try_put(struct lf_broadcast_ring *r, const void *message, uint64_t length, uint64_t to);
int64_t lf_broadcast_ring_put_many(struct lf_broadcast_ring *r, const void *messages, const uint32_t *lengths,
                                   uint64_t count, uint64_t to);
int64_t lf_broadcast_ring_reserve(struct lf_broadcast_ring *r, uint64_t length);
int lf_broadcast_ring_commit(struct lf_broadcast_ring *r, int64_t place, uint64_t reserved, uint64_t length,
                             uint64_t to);
int lf_broadcast_ring_release_role(struct lf_broadcast_ring *r);
int lf_broadcast_ring_leave(struct lf_broadcast_ring *r, uint32_t k);
int64_t lf_broadcast_ring_peek(struct lf_broadcast_ring *r, uint32_t k, uint64_t *length);
int lf_broadcast_ring_take(struct lf_broadcast_ring *r, uint32_t k, int64_t place, void *out, uint64_t length);
void lf_broadcast_ring_close(struct lf_broadcast_ring *r);
void lf_broadcast_ring_shutdown(struct lf_broadcast_ring *r, int immediate);
int64_t lf_py_broadcast_place(struct lf_broadcast_ring *r);
uint64_t lf_py_broadcast_joined(struct lf_broadcast_ring *r);
uint64_t lf_py_broadcast_missed(struct lf_broadcast_ring *r, uint32_t k);
int64_t lf_py_broadcast_behind(struct lf_broadcast_ring *r, uint32_t k);
uint32_t lf_py_broadcast_reader_pid(struct lf_broadcast_ring *r, uint32_t k);
uint32_t lf_py_broadcast_writer_pid(struct lf_broadcast_ring *r);
uint64_t lf_py_broadcast_alive_since(struct lf_broadcast_ring *r, uint32_t participant);
int lf_py_broadcast_ring_survey(int fd, struct lf_py_survey *s);
