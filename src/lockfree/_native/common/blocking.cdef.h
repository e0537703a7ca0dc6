int lf_reap(struct lf_handle *h);
