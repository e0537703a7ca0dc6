int lf_event_count_create(struct lf_event_count *e, const char *name);
int lf_event_count_attach(struct lf_event_count *e, const char *name);
int lf_event_count_attach_fd(struct lf_event_count *e, int fd);
int lf_event_count_wait(struct lf_event_count *e, int64_t ticket, uint64_t deadline);
