int lf_stress_drive_rlock(void *object, struct lf_stress_client *c);
