int lf_reap(struct lf_handle *h);
uint32_t lf_py_take_later_positions(int64_t *positions, uint32_t room);
void lf_tell_here(int how);
