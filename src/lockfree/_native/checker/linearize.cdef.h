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

struct lf_history_reader;
struct lf_history_reader *lf_history_reader_new(int any_operation);
void lf_history_reader_free(struct lf_history_reader *r);
int lf_history_reader_feed(struct lf_history_reader *r, const char *bytes, size_t count);
int lf_history_reader_finish(struct lf_history_reader *r);
const char *lf_history_reader_error(const struct lf_history_reader *r);
uint64_t lf_history_reader_error_line(const struct lf_history_reader *r);
struct lf_history_op *lf_history_reader_append(struct lf_history_reader *r);
int lf_history_reader_extend(struct lf_history_reader *r, const struct lf_history_op *ops, size_t count);
struct lf_history_op *lf_history_reader_ops(struct lf_history_reader *r, size_t *count);
uint64_t lf_history_reader_line(const struct lf_history_reader *r, size_t op);
int64_t lf_history_reader_value(struct lf_history_reader *r, const char *bytes, size_t count);
const char *lf_history_reader_text_at(const struct lf_history_reader *r, size_t i, size_t *count);
size_t lf_history_reader_texts(const struct lf_history_reader *r);
const char *lf_history_reader_name(const struct lf_history_reader *r, int op);
int lf_history_reader_code(struct lf_history_reader *r, const char *name, size_t count);
int lf_history_validate(const struct lf_history_op *ops, size_t count, size_t *at, size_t *other);
size_t lf_history_foreign(const struct lf_history_op *ops, size_t count, const uint8_t *known);
size_t lf_history_flagged(const struct lf_history_op *ops, size_t count, uint32_t flag);
void lf_history_forget_tickets(struct lf_history_op *ops, size_t count);
int lf_history_reader_join_pairs(struct lf_history_reader *r, struct lf_history_op *ops, size_t count);

struct lf_edn {
    char *json;
    size_t bytes, room;
    uint64_t line;
    char error[160];
};
int lf_jepsen_pairs(const char *text, size_t bytes, struct lf_edn *edn);
void lf_edn_free(struct lf_edn *edn);

enum lf_lin_reason {
    LF_LIN_NO_REASON,
    LF_LIN_TIME,
    LF_LIN_MEMORY,
    LF_LIN_CANCELLED,
    LF_LIN_UNDECIDED,
    LF_LIN_STEP_FAILED,
    LF_LIN_TOO_OPEN,
    LF_LIN_BATCH_ACROSS,
    LF_LIN_NEVER_PUT,
    LF_LIN_TAKEN_TWICE,
    LF_LIN_TAKEN_EARLY,
    LF_LIN_OVERTAKEN,
    LF_LIN_CYCLE,
    LF_LIN_NOT_EMPTY,
    LF_LIN_NOT_FULL,
    LF_LIN_OVER_CAPACITY,
    LF_LIN_LESS_URGENT,
    LF_LIN_STALE_READ,
    LF_LIN_SAME_RESULT,
    LF_LIN_ORDER_FORCED,
    LF_LIN_GAP,
    LF_LIN_BOTH_HELD,
    LF_LIN_NOT_HELD,
    LF_LIN_CERTAINLY_FREE,
    LF_LIN_BLOCK_TWICE,
    LF_LIN_LOG_DISAGREE,
    LF_LIN_LOG_BEHIND,
    LF_LIN_NO_ORDER,
    LF_LIN_NOT_NESTED
};

struct lf_lin_spec {
    int32_t kind;
    int32_t full, empty;
    int32_t unordered;
    int32_t fronts;
    int64_t capacity;
    int64_t initial;
    int64_t limit;
};

typedef int32_t (*lf_lin_step)(void *context, uint32_t state, uint32_t op, uint32_t *out, uint32_t room);

struct lf_lin_options {
    uint64_t timeout_ns;
    uint64_t memory;
    const volatile int32_t *cancel;
    volatile uint64_t *progress;
    int32_t general_only;
    int32_t partition;
    int32_t no_core;
    uint32_t *order;
    const int64_t *start;
    uint32_t start_count;
    const uint32_t *named;
    lf_lin_step step;
    void *context;
};

struct lf_lin_result {
    int32_t verdict, reason, method;
    uint32_t core_count;
    uint32_t *core;
    uint32_t rule_count;
    uint32_t *rule;
    uint64_t end;
    int32_t minimal;
    uint32_t break_op;
    int64_t *state;
    uint32_t state_count;
    int64_t detail[4];
    uint64_t configurations;
    uint64_t peak_bytes;
    uint32_t order_count;
};

void lf_lin_check(const struct lf_history_op *ops, size_t count, const struct lf_lin_spec *spec,
                  const struct lf_lin_options *options, struct lf_lin_result *result);
void lf_lin_result_free(struct lf_lin_result *result);
uint32_t lf_lin_initial(const struct lf_lin_spec *spec, int64_t *words);
int32_t lf_lin_after(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *words,
                     uint32_t count, int64_t *out, uint32_t room, uint32_t *end, uint32_t most);

enum { LF_GROWTH_ABSENT, LF_GROWTH_LOST, LF_GROWTH_EMPTY, LF_GROWTH_FIRST };
struct lf_growth;
struct lf_growth *lf_growth_new(const struct lf_history_reader *texts, const struct lf_history_op *ops, size_t count);
void lf_growth_free(struct lf_growth *g);
size_t lf_growth_bytes(const struct lf_growth *g);
const char *lf_growth_text(const struct lf_growth *g, uint32_t state, size_t *count);
int32_t lf_growth_step(void *growth, uint32_t state, uint32_t op, uint32_t *out, uint32_t room);

extern "Python" int32_t lf_python_step(void *context, uint32_t state, uint32_t op, uint32_t *out, uint32_t room);

struct lf_py_decoder {
    struct lf_history_reader *reader;
    void *coder, *names, *operation, *errors;
    uint8_t shape[256];
};
int lf_py_decode(struct lf_py_decoder *d, const struct lf_history_op *ops, size_t count, void *out);

struct lf_py_stepper {
    void *step, *states, *numbers, *operations, *errors, *handle;
    struct lf_py_decoder *decoder;
    const struct lf_history_op *ops;
    uint32_t look_every;
    int32_t (*slow)(void *handle, uint32_t state, uint32_t op, uint32_t *out, uint32_t room);
};
enum { LF_PY_LOOKS_EVERY = 1024 };
int lf_py_looks(uint64_t state, uint32_t every);
lf_lin_step lf_py_step_function(void);
