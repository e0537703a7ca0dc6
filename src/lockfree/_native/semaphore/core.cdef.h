struct lf_semaphore {
    struct lf_handle h;
    uint64_t initial;
    uint64_t max;
    uint32_t most;
    ...;
};
int lf_semaphore_try_acquire(struct lf_semaphore *s, uint64_t n);
int lf_semaphore_release(struct lf_semaphore *s, uint64_t n);
void lf_semaphore_give_up(struct lf_semaphore *s);
int64_t lf_semaphore_value(struct lf_semaphore *s);
void lf_semaphore_close(struct lf_semaphore *s);
int lf_py_semaphore_survey(int fd, struct lf_py_survey *s);
