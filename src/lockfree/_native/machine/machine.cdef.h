enum lf_machine_operation {
    LF_MACHINE_LOAD,
    LF_MACHINE_STORE,
    LF_MACHINE_STORE_SEQ_CST,
    LF_MACHINE_INCREMENT,
    LF_MACHINE_FETCH_ADD,
    LF_MACHINE_EXCHANGE,
    LF_MACHINE_CAS,
    LF_MACHINE_FENCE_ACQUIRE,
    LF_MACHINE_FENCE_RELEASE,
    LF_MACHINE_FENCE_SEQ_CST,
    LF_MACHINE_STORE_FENCE,
    LF_MACHINE_MEMBARRIER,
    LF_MACHINE_PAUSE,
    LF_MACHINE_CLOCK,
    LF_MACHINE_SYSCALL,
    LF_MACHINE_YIELD,
    LF_MACHINE_FUTEX_WAKE,
    LF_MACHINE_OPERATIONS
};

enum lf_machine_traffic { LF_MACHINE_READ, LF_MACHINE_WRITE, LF_MACHINE_COPY, LF_MACHINE_CHASE, LF_MACHINE_TRAFFICS };

struct lf_machine_share {
    uint64_t done, ns, cpu_ns, refused;
};

int lf_machine_operate(int operation, int stride, const int *cpus, int count, uint64_t ns,
                       struct lf_machine_share *shares);
int lf_machine_transfer(int a, int b, uint64_t ns, double *one_way, int room);
int lf_machine_wake(int waker, int sleeper, uint64_t nap, uint64_t ns, double *wake, double *call, int room);
int lf_machine_stream(int traffic, uint64_t bytes, const int *cpus, int count, uint64_t ns,
                      struct lf_machine_share *shares);
int lf_litmus_tests(void);
const char *lf_litmus_name(int test);
int lf_litmus_threads(int test);
int lf_litmus_results(int test);
int lf_litmus_run(int test, const int *cpus, uint64_t ns, uint64_t *outcomes);
int lf_machine_can_pin(int cpu);
uint64_t lf_machine_memory(void);
uint64_t lf_machine_clock_cost(void);
const char *lf_machine_compiler(void);
