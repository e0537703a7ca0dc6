struct lf_arena {
    struct lf_handle h;
    uint64_t page_bytes;
    uint32_t n_pages, n_blocks, huge;
    ...;
};
struct lf_arena_hold {
    uint32_t block, generation, hold;
    uint32_t held;
    uint64_t bytes;
    unsigned char *address;
    void *mapping;
    uint64_t mapped;
    uint64_t epoch;
};
struct lf_arena_stats {
    uint64_t free_pages;
    uint64_t longest_run;
    uint64_t largest;
    uint64_t runs;
    uint64_t populated;
    uint64_t blocks, holds, promises, allocs;
};
int lf_py_arena_try_alloc(struct lf_arena *a, uint64_t bytes, uint64_t align, struct lf_arena_hold *hold);
void lf_py_arena_let_go(struct lf_arena *a, struct lf_arena_hold *hold, void *address);
int lf_py_arena_open(struct lf_arena *a, const void *bytes, struct lf_arena_hold *hold);
int lf_py_arena_promise(struct lf_arena *a, const struct lf_arena_hold *hold, uint32_t count, void *bytes);
int64_t lf_py_arena_drop(struct lf_arena *a, const void *bytes, uint32_t count);
int64_t lf_py_arena_reclaim(struct lf_arena *a, uint64_t older, uint32_t *cursor);
int lf_py_arena_stats(struct lf_arena *a, uint64_t *words, struct lf_arena_stats *stats);
uint64_t lf_py_arena_available(const struct lf_arena *a);
void lf_arena_shutdown(struct lf_arena *a, int immediate);
void lf_arena_close(struct lf_arena *a);
int lf_py_arena_survey(int fd, struct lf_py_survey *s);
