int lf_rwlock_create(struct lf_rwlock *l, const char *name);
int lf_rwlock_attach(struct lf_rwlock *l, const char *name);
int lf_rwlock_attach_fd(struct lf_rwlock *l, int fd);
int lf_rwlock_read(struct lf_rwlock *l, uint64_t deadline);
int lf_rwlock_write(struct lf_rwlock *l, uint64_t deadline);
