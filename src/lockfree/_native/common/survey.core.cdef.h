struct lf_py_peer {
    uint32_t number, pid, alive, sleepers, roles;
    uint64_t joined, seen;
};
struct lf_py_survey {
    struct lf_handle h;
    uint64_t sleeps, wakes, refusals, recoveries;
    int64_t puts, gets, inside, room;
    uint64_t now;
    uint32_t ending, count;
    struct lf_py_peer peers[...];
    uint32_t holds[...];
};
void lf_tell_deaths(struct lf_handle *h, int told);
int lf_py_gone(const struct lf_handle *h, uint32_t role, uint32_t *pid, int *died, uint32_t *kind);
