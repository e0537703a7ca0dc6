int lf_stress_drive_spsc_ring(void *object, struct lf_stress_client *c);
