struct lf_condition {
    struct lf_handle h;
    uint64_t foreign;
    ...;
};
int lf_condition_try_acquire(struct lf_condition *c);
int lf_condition_release(struct lf_condition *c);
int lf_condition_recover(struct lf_condition *c);
int lf_condition_locked(struct lf_condition *c);
int lf_condition_is_owned(struct lf_condition *c);
int64_t lf_condition_begin(struct lf_condition *c);
int lf_condition_end(struct lf_condition *c, int64_t place);
void lf_condition_pass_on(struct lf_condition *c, int64_t place);
int64_t lf_condition_release_all(struct lf_condition *c);
int64_t lf_condition_notify(struct lf_condition *c, uint32_t n);
int64_t lf_condition_notify_unlocked(struct lf_condition *c, uint32_t n);
void lf_condition_close(struct lf_condition *c);
uint32_t lf_py_condition_holder(struct lf_condition *l, uint32_t *thread);
uint32_t lf_py_condition_died(struct lf_condition *l);
