int lf_py_latest_value_create(struct lf_latest_value *v, const char *name, const char *note, uint64_t record_size,
                              uint64_t copies);
int lf_latest_value_attach(struct lf_latest_value *v, const char *name);
int lf_latest_value_attach_fd(struct lf_latest_value *v, int fd);
int lf_latest_value_wait(struct lf_latest_value *v, uint64_t newer_than, uint64_t deadline);
