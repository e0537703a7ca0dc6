int lf_condition_create(struct lf_condition *c, const char *name, uint64_t foreign);
int lf_condition_attach(struct lf_condition *c, const char *name);
int lf_condition_attach_fd(struct lf_condition *c, int fd);
int lf_condition_acquire_awhile(struct lf_condition *c, uint64_t deadline);
int lf_condition_acquire_again(struct lf_condition *c, int64_t depth);
int lf_condition_sleep(struct lf_condition *c, int64_t place, uint64_t deadline);
