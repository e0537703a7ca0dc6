int lf_py_priority_queue_create(struct lf_priority_queue *q, const char *name, const char *note, uint64_t capacity,
                                uint64_t record_size, uint64_t levels, uint64_t start);
int lf_priority_queue_attach(struct lf_priority_queue *q, const char *name);
int lf_priority_queue_attach_fd(struct lf_priority_queue *q, int fd);
int lf_priority_queue_put(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level,
                          uint64_t deadline);
int lf_priority_queue_put_ticket(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level,
                                 uint64_t deadline, uint64_t *ticket);
int lf_priority_queue_put_front(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level,
                                uint64_t deadline, uint64_t *ticket);
int64_t lf_priority_queue_get(struct lf_priority_queue *q, void *record, uint32_t *level, uint64_t deadline);
int64_t lf_priority_queue_reserve_wait(struct lf_priority_queue *q, uint64_t deadline);
int64_t lf_priority_queue_peek_wait(struct lf_priority_queue *q, uint32_t lease, uint32_t *level, uint64_t *length,
                                    uint64_t deadline);
