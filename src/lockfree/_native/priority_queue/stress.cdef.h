int lf_stress_drive_priority_queue(void *object, struct lf_stress_client *c);
