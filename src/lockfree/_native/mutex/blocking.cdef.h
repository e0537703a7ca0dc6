int lf_mutex_create(struct lf_mutex *m, const char *name);
int lf_mutex_attach(struct lf_mutex *m, const char *name);
int lf_mutex_attach_fd(struct lf_mutex *m, int fd);
int lf_mutex_acquire_awhile(struct lf_mutex *m, uint64_t deadline);
