int lf_spinlock_create(struct lf_spinlock *s, const char *name);
int lf_spinlock_attach(struct lf_spinlock *s, const char *name);
int lf_spinlock_attach_fd(struct lf_spinlock *s, int fd);
int lf_spinlock_acquire_awhile(struct lf_spinlock *s, uint64_t deadline);
