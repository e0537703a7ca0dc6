struct lf_barrier {
    struct lf_handle h;
    uint64_t parties;
    ...;
};
int64_t lf_barrier_arrive(struct lf_barrier *b, int acts, uint64_t *round);
int lf_barrier_give_up(struct lf_barrier *b, uint64_t round);
int lf_barrier_open(struct lf_barrier *b, uint64_t round);
int lf_barrier_abort(struct lf_barrier *b);
int lf_barrier_reset(struct lf_barrier *b);
int lf_barrier_broken(struct lf_barrier *b);
int64_t lf_barrier_waiting(struct lf_barrier *b);
void lf_barrier_close(struct lf_barrier *b);
int lf_py_barrier_survey(int fd, struct lf_py_survey *s);
