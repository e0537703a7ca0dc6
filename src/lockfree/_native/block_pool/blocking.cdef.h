int lf_block_pool_create_as(struct lf_block_pool *p, const char *name, uint64_t blocks, uint32_t start, uint32_t mode);
int lf_block_pool_attach(struct lf_block_pool *p, const char *name);
int lf_block_pool_attach_fd(struct lf_block_pool *p, int fd);
int lf_block_pool_try_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n);
int lf_block_pool_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n, uint64_t deadline);
int64_t lf_block_pool_adopt(struct lf_block_pool *p, uint64_t ticket, uint32_t *blocks);
int64_t lf_block_pool_supersede(struct lf_block_pool *p, uint64_t lease, uint32_t *blocks);
int lf_block_pool_free(struct lf_block_pool *p, const uint32_t *blocks, const uint32_t *generations, uint64_t n,
                       uint64_t *at);
int lf_block_pool_retain(struct lf_block_pool *p, const uint32_t *blocks, uint64_t n, uint64_t *at);
int lf_block_pool_seal(struct lf_block_pool *p, const uint32_t *blocks, uint64_t n, uint64_t *ticket, uint64_t *at);
void lf_py_block_pool_look(struct lf_block_pool *p, const uint32_t *blocks, uint32_t *generations, uint32_t *references,
                           uint64_t n);
