struct lf_spsc_ring {
    struct lf_handle h;
    unsigned char *slots;
    uint64_t capacity;
    uint64_t record_size;
    uint32_t refused;
    uint32_t holder_pid;
    uint32_t holder_thread;
    ...;
};
int lf_spsc_ring_try_put(struct lf_spsc_ring *r, const void *record, uint64_t length);
int64_t lf_spsc_ring_try_get(struct lf_spsc_ring *r, void *record);
int64_t lf_spsc_ring_put_many(struct lf_spsc_ring *r, const void *records, uint64_t pitch, uint64_t length,
                              const uint32_t *lengths, uint64_t count);
int64_t lf_spsc_ring_get_many(struct lf_spsc_ring *r, void *records, uint64_t pitch, uint32_t *lengths, uint64_t count);
int64_t lf_spsc_ring_reserve(struct lf_spsc_ring *r);
int lf_spsc_ring_commit(struct lf_spsc_ring *r, int64_t ticket, uint64_t length);
int lf_spsc_ring_cancel(struct lf_spsc_ring *r, int64_t ticket);
int64_t lf_spsc_ring_peek(struct lf_spsc_ring *r, uint64_t *length);
int lf_spsc_ring_release(struct lf_spsc_ring *r, int64_t ticket);
uint64_t lf_spsc_ring_size(const struct lf_spsc_ring *r);
void lf_spsc_ring_close(struct lf_spsc_ring *r);
void lf_spsc_ring_shutdown(struct lf_spsc_ring *r, int immediate);
unsigned char *lf_py_spsc_ring_payload(struct lf_spsc_ring *r, int64_t ticket);
int lf_py_spsc_ring_release_role(struct lf_spsc_ring *r, int role);
int lf_py_spsc_ring_survey(int fd, struct lf_py_survey *s);
