int lf_arena_create(struct lf_arena *a, const char *name, uint64_t bytes, uint64_t max_blocks, uint64_t flags);
int lf_arena_attach(struct lf_arena *a, const char *name);
int lf_arena_attach_fd(struct lf_arena *a, int fd);
int64_t lf_py_arena_drop(struct lf_arena *a, const void *bytes, uint32_t count);
int64_t lf_py_arena_reclaim(struct lf_arena *a, uint64_t older, uint32_t *cursor);
int lf_py_arena_stats(struct lf_arena *a, uint64_t *words, struct lf_arena_stats *stats);
