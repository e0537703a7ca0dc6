int lf_event_create(struct lf_event *e, const char *name);
int lf_event_attach(struct lf_event *e, const char *name);
int lf_event_attach_fd(struct lf_event *e, int fd);
int lf_event_wait_since(struct lf_event *e, uint64_t first, uint64_t deadline);
