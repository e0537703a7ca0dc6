struct lf_spinlock {
    struct lf_handle h;
    ...;
};
int lf_spinlock_try_acquire(struct lf_spinlock *s);
int lf_spinlock_release(struct lf_spinlock *s);
int lf_spinlock_recover(struct lf_spinlock *s);
int lf_spinlock_locked(struct lf_spinlock *s);
void lf_spinlock_close(struct lf_spinlock *s);
uint32_t lf_py_spinlock_holder(struct lf_spinlock *l, uint32_t *thread);
uint32_t lf_py_spinlock_died(struct lf_spinlock *l);
int lf_py_spinlock_survey(int fd, struct lf_py_survey *s);
