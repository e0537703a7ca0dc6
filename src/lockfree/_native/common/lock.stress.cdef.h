int lf_stress_drive_mutex(void *object, struct lf_stress_client *c);
int lf_stress_drive_spinlock(void *object, struct lf_stress_client *c);
uint64_t lf_stress_sections(const struct lf_stress_log *log, struct lf_history_op *sections);
uint64_t lf_stress_enter(struct lf_stress_client *c);
void lf_stress_leave(struct lf_stress_client *c, uint64_t seen);
