int lf_stress_drive_rwlock(void *object, struct lf_stress_client *c);
void lf_stress_set(struct lf_stress_client *c, uint64_t value);
