int lf_stress_drive_event(void *object, struct lf_stress_client *c);
