int lf_stress_drive_mpmc_ring(void *object, struct lf_stress_client *c);
