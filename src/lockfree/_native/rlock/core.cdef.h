struct lf_rlock {
    struct lf_handle h;
    ...;
};
int lf_rlock_try_acquire(struct lf_rlock *r);
int lf_rlock_release(struct lf_rlock *r);
int lf_rlock_recover(struct lf_rlock *r);
int lf_rlock_locked(struct lf_rlock *r);
void lf_rlock_close(struct lf_rlock *r);
uint32_t lf_py_rlock_holder(struct lf_rlock *l, uint32_t *thread);
uint32_t lf_py_rlock_died(struct lf_rlock *l);
int64_t lf_rlock_depth(struct lf_rlock *r);
int64_t lf_rlock_release_all(struct lf_rlock *r);
void lf_rlock_restore(struct lf_rlock *r, int64_t depth);
int lf_py_rlock_survey(int fd, struct lf_py_survey *s);
