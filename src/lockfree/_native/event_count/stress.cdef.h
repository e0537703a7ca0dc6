int lf_stress_drive_event_count(void *object, struct lf_stress_client *c);
uint64_t lf_stress_word(struct lf_stress_client *c);
int lf_stress_word_take(struct lf_stress_client *c);
void lf_stress_word_give(struct lf_stress_client *c);
