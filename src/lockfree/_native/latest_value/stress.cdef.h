int lf_stress_drive_latest_value(void *object, struct lf_stress_client *c);
