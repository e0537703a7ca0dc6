int lf_stress_drive_arena(void *object, struct lf_stress_client *c);
uint32_t lf_stress_arena_units(void *object, const struct lf_arena_hold *hold, int64_t *units, uint32_t small);
