int lf_stress_drive_message_ring(void *object, struct lf_stress_client *c);
