int lf_stress_drive_block_pool(void *object, struct lf_stress_client *c);
void lf_stress_open_allocs(struct lf_stress_client *c, uint32_t n);
