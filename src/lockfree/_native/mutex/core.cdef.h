struct lf_mutex {
    struct lf_handle h;
    ...;
};
int lf_mutex_try_acquire(struct lf_mutex *m);
int lf_mutex_release(struct lf_mutex *m);
int lf_mutex_recover(struct lf_mutex *m);
int lf_mutex_locked(struct lf_mutex *m);
void lf_mutex_close(struct lf_mutex *m);
uint32_t lf_py_mutex_holder(struct lf_mutex *l, uint32_t *thread);
uint32_t lf_py_mutex_died(struct lf_mutex *l);
int lf_py_mutex_survey(int fd, struct lf_py_survey *s);
