struct lf_arena {
    struct lf_handle h;
    uint64_t page_bytes;
    uint32_t n_pages, n_blocks, huge;
    ...;
};
struct lf_arena_hold {
    uint64_t bytes;
    ...;
};
struct lf_arena_stats {
    uint64_t free_pages;
    uint64_t longest_run;
    uint64_t largest;
    uint64_t runs;
    uint64_t populated;
    uint64_t blocks, holds, promises, allocs;
};
int64_t lf_py_arena_drop(struct lf_arena *a, const void *bytes, uint32_t count);
int64_t lf_py_arena_reclaim(struct lf_arena *a, uint64_t older, uint32_t *cursor);
int lf_py_arena_stats(struct lf_arena *a, uint64_t *words, struct lf_arena_stats *stats);
uint64_t lf_py_arena_flags(struct lf_arena *a);
uint64_t lf_py_arena_available(struct lf_arena *a);
void lf_arena_shutdown(struct lf_arena *a, int immediate);
void lf_arena_close(struct lf_arena *a);
int lf_py_arena_survey(int fd, struct lf_py_survey *s);
