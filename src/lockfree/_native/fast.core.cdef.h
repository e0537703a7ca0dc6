int lf_py_fast_install(void);
