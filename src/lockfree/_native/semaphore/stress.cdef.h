int lf_stress_drive_semaphore(void *object, struct lf_stress_client *c);
