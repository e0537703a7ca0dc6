struct lf_identity {
    uint64_t magic;
    uint32_t kind;
    uint64_t note_bytes;
    ...;
};
struct lf_participant {
    uint32_t in_use;
    uint32_t pid;
    ...;
};
struct lf_segment {
    struct lf_identity identity;
    struct lf_participant participants[...];
    char note[...];
    ...;
};
struct lf_handle {
    struct lf_segment *segment;
    unsigned char *body;
    uint32_t participant;
    uint32_t closed;
    int fd;
    int error;
    const char *doing;
    const char *mismatch;
    uint64_t found;
    uint64_t expected;
    uint64_t bytes;
    uint64_t device;
    uint64_t inode;
    ...;
};

int lf_set_spin(struct lf_handle *h, uint32_t microseconds);
uint32_t lf_get_spin(const struct lf_handle *h);
int lf_segment_file(struct lf_handle *h);
int lf_enter(struct lf_handle *h);
void lf_py_closed(void *h);
uint32_t lf_py_participant(struct lf_handle *h);
int lf_py_is_me(const struct lf_handle *h, uint32_t participant);
#define LF_NOTE ...
#define LF_MAGIC ...
#define LF_LEASE ...
#define LF_PARTICIPANTS ...
#define LF_PY_NEVER_MADE ...
int lf_segment_unlink(struct lf_handle *h, const char *name);
int lf_segment_in_use(struct lf_handle *h);
int lf_segment_sweep(struct lf_handle *h, const char *name);
int lf_py_open(struct lf_handle *h, const char *name);
void lf_py_detach(void *h);
uint32_t lf_py_take_positions(int64_t *positions, uint32_t room);
uint32_t lf_py_kind(struct lf_handle *h);
const char *lf_py_kind_name(uint32_t number);
uint64_t lf_py_pids(struct lf_handle *h, uint32_t *pids, uint64_t room);
int lf_py_install(void);
