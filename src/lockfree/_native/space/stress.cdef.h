int lf_stress_drive_space(void *object, struct lf_stress_client *c);
