int lf_stress_drive_barrier(void *object, struct lf_stress_client *c);
