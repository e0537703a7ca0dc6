int lf_tracer_install(void);
