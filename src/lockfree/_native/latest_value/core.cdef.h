struct lf_latest_value {
    struct lf_handle h;
    uint64_t record_size;
    uint64_t n_copies;
    uint32_t holder_pid, holder_thread;
    ...;
};
int64_t lf_latest_value_set(struct lf_latest_value *v, const void *value, uint64_t length);
int64_t lf_latest_value_get(struct lf_latest_value *v, void *value, uint64_t *version);
int64_t lf_latest_value_version(struct lf_latest_value *v);
int lf_latest_value_release_role(struct lf_latest_value *v);
void lf_latest_value_close(struct lf_latest_value *v);
int lf_py_latest_value_survey(int fd, struct lf_py_survey *s);
