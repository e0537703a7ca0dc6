int lf_rlock_create(struct lf_rlock *r, const char *name);
int lf_rlock_attach(struct lf_rlock *r, const char *name);
int lf_rlock_attach_fd(struct lf_rlock *r, int fd);
int lf_rlock_acquire_awhile(struct lf_rlock *r, uint64_t deadline);
