int lf_stress_drive_atomic(void *object, struct lf_stress_client *c);
