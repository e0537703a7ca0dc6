uint64_t lf_watch_sleep(struct lf_watch *watches, uint64_t count, uint32_t *control, uint32_t control_expected,
                        uint64_t timeout_ns);
uint64_t lf_watch_sleep_on(struct lf_watch *watches, uint64_t count, uint32_t *control, uint32_t control_expected,
                           uint64_t timeout_ns, uint64_t *next);
