int lf_stress_drive_broadcast_ring(void *object, struct lf_stress_client *c);
