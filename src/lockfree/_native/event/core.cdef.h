struct lf_event {
    struct lf_handle h;
    ...;
};
int lf_event_is_set(struct lf_event *e);
int lf_event_set(struct lf_event *e);
int lf_event_clear(struct lf_event *e);
uint64_t lf_event_now(struct lf_event *e);
void lf_event_close(struct lf_event *e);
int lf_py_event_survey(int fd, struct lf_py_survey *s);
