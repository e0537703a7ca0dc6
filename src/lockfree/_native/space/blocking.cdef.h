int lf_space_create_for(struct lf_space *s, const char *name, uint64_t size, uint64_t threads);
int lf_space_attach(struct lf_space *s, const char *name);
int lf_space_attach_fd(struct lf_space *s, int fd);
int lf_space_object(struct lf_space *s, struct lf_handle *object, uint32_t kind, const char *name,
                    const uint64_t *geometry, uint64_t initial);
int lf_space_at(struct lf_space *s, struct lf_handle *object, uint32_t kind, uint64_t at);
