int lf_stress_drive_condition(void *object, struct lf_stress_client *c);
