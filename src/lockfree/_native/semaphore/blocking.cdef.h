int lf_semaphore_create(struct lf_semaphore *s, const char *name, uint64_t value, uint64_t max, uint32_t start);
int lf_semaphore_attach(struct lf_semaphore *s, const char *name);
int lf_semaphore_attach_fd(struct lf_semaphore *s, int fd);
int lf_semaphore_acquire(struct lf_semaphore *s, uint64_t n, uint64_t deadline);
