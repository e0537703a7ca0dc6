#define LF_FRONTS ...
struct lf_priority_queue {
    struct lf_handle h;
    unsigned char *slots;
    uint64_t capacity;
    uint64_t record_size;
    uint32_t n_levels;
    uint32_t fronts;
    ...;
};
int lf_priority_queue_try_put(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level);
int64_t lf_priority_queue_try_get(struct lf_priority_queue *q, void *record, uint32_t *level);
int64_t lf_priority_queue_put_many(struct lf_priority_queue *q, const void *records, uint64_t pitch, uint64_t length,
                                   const uint32_t *lengths, const uint32_t *levels, uint64_t count);
int64_t lf_priority_queue_get_many(struct lf_priority_queue *q, void *records, uint64_t pitch, uint32_t *lengths,
                                   uint32_t *levels, uint64_t count);
int64_t lf_priority_queue_reserve(struct lf_priority_queue *q);
int lf_priority_queue_commit(struct lf_priority_queue *q, int64_t index, uint64_t length, uint32_t level);
int lf_priority_queue_put_ticket(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level,
                                 uint64_t deadline, uint64_t *ticket);
int lf_priority_queue_put_front(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level,
                                uint64_t deadline, uint64_t *ticket);
int lf_priority_queue_withdraw(struct lf_priority_queue *q, uint64_t ticket);
int lf_priority_queue_cancel(struct lf_priority_queue *q, int64_t index);
int64_t lf_priority_queue_peek(struct lf_priority_queue *q, uint32_t lease, uint32_t *level, uint64_t *length);
int lf_priority_queue_release(struct lf_priority_queue *q, int64_t index);
int lf_priority_queue_give_back(struct lf_priority_queue *q, int64_t index, uint32_t level);
uint64_t lf_priority_queue_size(const struct lf_priority_queue *q);
void lf_priority_queue_close(struct lf_priority_queue *q);
void lf_priority_queue_shutdown(struct lf_priority_queue *q, int immediate);
unsigned char *lf_py_priority_queue_payload(struct lf_priority_queue *q, int64_t index);
int lf_py_priority_queue_survey(int fd, struct lf_py_survey *s);
