int lf_barrier_create(struct lf_barrier *b, const char *name, uint64_t parties);
int lf_barrier_attach(struct lf_barrier *b, const char *name);
int lf_barrier_attach_fd(struct lf_barrier *b, int fd);
int lf_barrier_sleep(struct lf_barrier *b, uint64_t round, uint64_t deadline);
