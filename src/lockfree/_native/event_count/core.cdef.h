struct lf_event_count {
    struct lf_handle h;
    ...;
};
int64_t lf_event_count_prepare(struct lf_event_count *e);
void lf_event_count_retract(struct lf_event_count *e, int64_t ticket);
int lf_event_count_notify(struct lf_event_count *e, uint32_t n);
int lf_event_count_cancel(struct lf_event_count *e);
void lf_event_count_close(struct lf_event_count *e);
int lf_py_event_count_survey(int fd, struct lf_py_survey *s);
