struct lf_history_op {
    uint64_t call, ret;
    int64_t arg, arg2, result;
    uint32_t client;
    uint32_t key;
    uint32_t batch;
    uint8_t op;
    uint8_t flags;
    uint16_t reserved;
};

/* The first page of an arena. */
struct lf_stress_control {
    uint64_t stop;
    uint64_t deadline;
    uint64_t arrived;
    ...;
};

/* One client's part of an arena: what it has called so far. */
struct lf_stress_log {
    uint64_t count;
    uint64_t capacity;
    uint64_t ready;
    uint64_t finished;
    uint64_t killed;
    struct lf_history_op records[...];
};

struct lf_stress_plan {
    uint64_t seed;
    uint64_t max_wait_ns;
    uint64_t operations;
    uint32_t clients;
    uint32_t align_every;
    uint32_t pause_every;
    uint32_t batch;
    uint32_t levels;
    uint32_t fronts;
    uint32_t forget_full;
    uint32_t forget_empty;
    uint32_t role_burst;
    uint32_t kind;
    uint32_t weights[16];
};

struct lf_stress_client {
    struct lf_stress_control *control;
    struct lf_stress_log *log;
    struct lf_stress_plan plan;
    uint32_t client;
    int64_t held;
    ...;
};

struct lf_stress_figures {
    uint64_t count[64];
    uint64_t refused[64];
    uint64_t pending[64];
    uint64_t longest[64];
};

uint64_t lf_stress_now(void);
void lf_stress_die_with_parent(void);
void lf_stress_await_end(struct lf_stress_control *control);
void lf_stress_begin(struct lf_stress_client *c);
int lf_stress_goes_on(struct lf_stress_client *c);
void lf_stress_pause(struct lf_stress_client *c);
uint64_t lf_stress_next_value(struct lf_stress_client *c);
void lf_stress_open(struct lf_stress_client *c, int op, int64_t arg, int64_t arg2);
void lf_stress_open_many(struct lf_stress_client *c, int op, const int64_t *args, const int64_t *arg2s, uint32_t count);
void lf_stress_close(struct lf_stress_client *c, int64_t result, int64_t arg2, int failed);
void lf_stress_close_put(struct lf_stress_client *c, int failed);
void lf_stress_close_puts(struct lf_stress_client *c, uint32_t opened, uint32_t done, int full);
void lf_stress_close_gets(struct lf_stress_client *c, uint32_t opened, const int64_t *values, const int64_t *arg2s,
                          uint32_t done, int empty);
void lf_stress_forget(struct lf_stress_client *c, uint32_t count);
void lf_stress_close_as(struct lf_stress_client *c, int op, int64_t arg, int64_t arg2, int64_t result);
void lf_stress_positions(const int64_t *positions, uint32_t count);
void lf_stress_key(struct lf_stress_client *c, uint32_t key);
void lf_stress_mend(struct lf_stress_log *log);
uint64_t lf_stress_without_full(const struct lf_history_op *from, uint64_t count, struct lf_history_op *to);
void lf_stress_summarise(const struct lf_history_op *ops, uint64_t count, struct lf_stress_figures *figures,
                         uint64_t *latencies, uint32_t buckets, uint64_t from, uint64_t bin_ns, uint64_t *bins,
                         uint32_t n_bins);
uint32_t lf_stress_bucket(uint64_t value);
uint64_t lf_stress_bucket_top(uint32_t bucket);
