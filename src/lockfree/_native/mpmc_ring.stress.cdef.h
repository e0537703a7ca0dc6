int lf_stress_drive_mpmc_ring(struct lf_mpmc_ring *object, struct lf_stress_client *c);
