struct lf_block_pool {
    struct lf_handle h;
    uint64_t blocks;
    uint64_t mode;
    ...;
};
int lf_block_pool_try_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n);
int lf_block_pool_free(struct lf_block_pool *p, const uint32_t *blocks, const uint32_t *generations, uint64_t n,
                       uint64_t *at);
int lf_block_pool_retain(struct lf_block_pool *p, const uint32_t *blocks, uint64_t n, uint64_t *at);
int lf_block_pool_seal(struct lf_block_pool *p, const uint32_t *blocks, uint64_t n, uint64_t *ticket, uint64_t *at);
uint64_t lf_block_pool_lease(struct lf_block_pool *p);
uint64_t lf_block_pool_available(const struct lf_block_pool *p);
uint64_t lf_block_pool_look(const struct lf_block_pool *p, uint64_t block);
int lf_block_is_held(uint64_t word);
uint32_t lf_block_generation(uint64_t word);
uint32_t lf_block_lease(uint64_t word);
void lf_py_block_pool_look(struct lf_block_pool *p, const uint32_t *blocks, uint32_t *generations, uint32_t *references,
                           uint64_t n);
uint32_t lf_py_block_pool_pid(struct lf_block_pool *p, uint32_t lease);
void lf_block_pool_shutdown(struct lf_block_pool *p, int immediate);
void lf_block_pool_close(struct lf_block_pool *p);
int lf_py_block_pool_survey(int fd, struct lf_py_survey *s);
int lf_py_block_pool_is_persistent(struct lf_handle *h);
#define LF_POOL_LIFO ...
#define LF_POOL_PERSISTENT ...
