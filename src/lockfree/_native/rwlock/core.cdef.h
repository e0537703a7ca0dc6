struct lf_rwlock {
    struct lf_handle h;
    ...;
};
int lf_rwlock_end_read(struct lf_rwlock *l);
int lf_rwlock_end_write(struct lf_rwlock *l);
int lf_rwlock_recover(struct lf_rwlock *l);
int lf_rwlock_locked(struct lf_rwlock *l);
int64_t lf_rwlock_readers(struct lf_rwlock *l);
int lf_rwlock_begin_write(struct lf_rwlock *l);
void lf_rwlock_end_wait(struct lf_rwlock *l);
void lf_rwlock_give_up(struct lf_rwlock *l);
void lf_rwlock_close(struct lf_rwlock *l);
int lf_py_rwlock_survey(int fd, struct lf_py_survey *s);
uint32_t lf_py_rwlock_died(struct lf_rwlock *l);
#define LF_PY_WRITER_DIED ...
