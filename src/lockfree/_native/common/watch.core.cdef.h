struct lf_watch {
    uint32_t due;
    ...;
};
int lf_py_descriptor_begin(uint64_t *fd_device_inode);
void lf_py_descriptor_end(const uint64_t *fd_device_inode);
int lf_py_watch(struct lf_handle *h, int side, struct lf_watch *w);
int lf_py_watch_lock(struct lf_handle *h, struct lf_watch *w);
void lf_py_watch_place(struct lf_condition *c, int64_t place, struct lf_watch *w);
int lf_py_is_ready(struct lf_handle *h);
void lf_watch_end(struct lf_watch *w);
void lf_watch_pass_on(struct lf_watch *w);
void lf_watch_found_nothing(struct lf_watch *w);
void lf_py_turn(uint32_t *control);
int lf_py_are_gone(struct lf_handle *h, int refused);
#define LF_WATCH_LOOK ...
