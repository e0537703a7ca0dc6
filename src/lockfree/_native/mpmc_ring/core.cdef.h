struct lf_mpmc_ring {
    struct lf_handle h;
    unsigned char *slots;
    uint64_t capacity;
    uint64_t record_size;
    ...;
};
int lf_mpmc_ring_try_put(struct lf_mpmc_ring *r, const void *record, uint64_t length);
int64_t lf_mpmc_ring_try_get(struct lf_mpmc_ring *r, void *record);
int64_t lf_mpmc_ring_put_many(struct lf_mpmc_ring *r, const void *records, uint64_t pitch, uint64_t length,
                              const uint32_t *lengths, uint64_t count);
int64_t lf_mpmc_ring_get_many(struct lf_mpmc_ring *r, void *records, uint64_t pitch, uint32_t *lengths, uint64_t count);
int64_t lf_mpmc_ring_reserve(struct lf_mpmc_ring *r);
int lf_mpmc_ring_commit(struct lf_mpmc_ring *r, int64_t index, uint64_t length);
int64_t lf_mpmc_ring_peek(struct lf_mpmc_ring *r, uint32_t lease, uint64_t *length);
int lf_mpmc_ring_release(struct lf_mpmc_ring *r, int64_t index);
int lf_mpmc_ring_cancel(struct lf_mpmc_ring *r, int64_t index);
int lf_mpmc_ring_requeue(struct lf_mpmc_ring *r, int64_t index);
uint64_t lf_mpmc_ring_size(const struct lf_mpmc_ring *r);
void lf_mpmc_ring_close(struct lf_mpmc_ring *r);
void lf_mpmc_ring_shutdown(struct lf_mpmc_ring *r, int immediate);
unsigned char *lf_py_mpmc_ring_payload(struct lf_mpmc_ring *r, int64_t index);
int lf_py_mpmc_ring_survey(int fd, struct lf_py_survey *s);
