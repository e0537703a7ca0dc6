/* Rings from C: single and batched records, in one thread and between two pinned processes.
 *
 *     gcc -O2 -Ic/include benchmarks/c/bench_rings.c -o build/bench_rings -lpthread && build/bench_rings
 *
 * One line per case: nanoseconds per record, million records per second; the median of five samples of 0.2 s. Before each
 * sample between processes the one-way transfer of a cache line is measured and printed: figures of different placements
 * of the cores are not comparable. */
#include <lockfree/lockfree.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { RECORD = 64, BATCH = 64, CAPACITY = 1024, SAMPLES = 5 };
static const uint64_t SAMPLE_NS = 200000000;

static struct shared {
    LF_ALIGNED uint64_t ping;
    LF_ALIGNED uint64_t pong;
    LF_ALIGNED uint32_t stop;
    LF_ALIGNED uint64_t got;
    LF_ALIGNED uint64_t ready;
} *shared;

static void die(const char *what) {
    perror(what);
    exit(1);
}
static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("sched_setaffinity");
}
static pid_t start(void (*body)(void *), void *argument) {
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        pin(1);
        body(argument);
        _exit(0);
    }
    return child;
}

/* ---- how far the two cores are from each other ---- */

enum { BOUNCES = 20000 };
static void bounce(void *unused) {
    (void)unused;
    for (uint64_t i = 1; i <= BOUNCES; i++) {
        while (lf_load_acquire(&shared->ping) != i)
            ;
        lf_store_release(&shared->pong, i);
    }
}
static double transfer_ns(void) {
    shared->ping = shared->pong = 0;
    pid_t child = start(bounce, NULL);
    uint64_t begin = 0;
    for (uint64_t i = 1; i <= BOUNCES; i++) {
        if (i == BOUNCES / 10)
            begin = lf_now();
        lf_store_release(&shared->ping, i);
        while (lf_load_acquire(&shared->pong) != i)
            ;
    }
    double ns = (double)(lf_now() - begin) / (BOUNCES * 0.9) / 2;
    waitpid(child, NULL, 0);
    return ns;
}

/* ---- the cases ---- */

#define RING_CASES(kind)                                                                                               \
    static struct lf_##kind kind;                                                                                      \
    static int kind##_create(void) { return lf_##kind##_create(&kind, NULL, CAPACITY, RECORD, 0); }                    \
    static struct lf_handle *kind##_handle(void) { return &kind.h; }                                                   \
    static uint64_t kind##_put(const unsigned char *from, uint64_t n) {                                                \
        if (n == 1)                                                                                                    \
            return lf_##kind##_try_put(&kind, from, RECORD) == LF_OK;                                                  \
        int64_t done = lf_##kind##_put_many(&kind, from, RECORD, RECORD, NULL, n);                                     \
        return done < 0 ? 0 : (uint64_t)done;                                                                          \
    }                                                                                                                  \
    static uint64_t kind##_get(unsigned char *to, uint64_t n) {                                                        \
        if (n == 1)                                                                                                    \
            return lf_##kind##_try_get(&kind, to) >= 0;                                                                \
        int64_t done = lf_##kind##_get_many(&kind, to, RECORD, NULL, n);                                               \
        return done < 0 ? 0 : (uint64_t)done;                                                                          \
    }
RING_CASES(spsc_ring)
RING_CASES(mpmc_ring)

struct ring {
    const char *name;
    int (*create)(void);
    struct lf_handle *(*handle)(void);
    uint64_t (*put)(const unsigned char *, uint64_t);
    uint64_t (*get)(unsigned char *, uint64_t);
};
static const struct ring rings[] = {
    {"spsc_ring", spsc_ring_create, spsc_ring_handle, spsc_ring_put, spsc_ring_get},
    {"mpmc_ring", mpmc_ring_create, mpmc_ring_handle, mpmc_ring_put, mpmc_ring_get},
};

struct run {
    const struct ring *ring;
    uint64_t batch;
};
static void consume(void *argument) {
    const struct run *run = (const struct run *)argument;
    unsigned char to[BATCH * RECORD];
    uint64_t got = 0;
    if (lf_after_fork(run->ring->handle()) != LF_OK)
        _exit(1);
    lf_store_release(&shared->ready, (uint64_t)1);
    while (!lf_load_relaxed(&shared->stop)) {
        uint64_t n = run->ring->get(to, run->batch);
        got += n;
        if (n == 0) /* what blocking calls do too: looking all the time only takes the line away */
            for (int i = 0; i < 8; i++)
                lf_pause();
    }
    shared->got = got;
}
static double between_processes(const struct run *run) {
    unsigned char from[BATCH * RECORD];
    memset(from, 7, sizeof from);
    shared->stop = 0;
    shared->ready = 0;
    pid_t child = start(consume, (void *)(uintptr_t)run);
    while (!lf_load_acquire(&shared->ready))
        lf_pause();
    uint64_t begin = lf_now(), now = begin;
    for (uint64_t round = 1; now - begin < SAMPLE_NS; round++) {
        if (run->ring->put(from, run->batch) == 0)
            for (int i = 0; i < 8; i++)
                lf_pause();
        if (round % 256 == 0)
            now = lf_now();
    }
    lf_store_release(&shared->stop, 1u);
    int status;
    waitpid(child, &status, 0);
    if (status != 0)
        die("consumer");
    lf_reap(run->ring->handle());
    unsigned char to[RECORD];
    while (run->ring->get(to, 1) > 0)
        ;
    if (run->ring == &rings[0])
        lf_spsc_ring_release_role(&spsc_ring, LF_CONSUMER);
    return (double)(now - begin) / (double)shared->got;
}
static double alone(const struct run *run) {
    unsigned char buffer[BATCH * RECORD];
    uint64_t begin = lf_now(), now = begin, records = 0;
    memset(buffer, 7, sizeof buffer);
    while (now - begin < SAMPLE_NS) {
        for (int i = 0; i < 256; i++) {
            run->ring->put(buffer, run->batch);
            records += run->ring->get(buffer, run->batch);
        }
        now = lf_now();
    }
    return (double)(now - begin) / (double)records;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static void measure(const char *where, const struct run *run, double (*sample)(const struct run *), int probe) {
    double ns[SAMPLES], transfer[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        transfer[i] = probe ? transfer_ns() : 0;
        ns[i] = sample(run);
    }
    qsort(ns, SAMPLES, sizeof *ns, ascending);
    qsort(transfer, SAMPLES, sizeof *transfer, ascending);
    printf("%-10s %-22s batch %-3llu %8.1f ns %8.2f M/s   best %7.2f", run->ring->name, where,
           (unsigned long long)run->batch, ns[SAMPLES / 2], 1e3 / ns[SAMPLES / 2], 1e3 / ns[0]);
    if (probe)
        printf("   line transfer %.0f ns (%.0f-%.0f)", transfer[SAMPLES / 2], transfer[0], transfer[SAMPLES - 1]);
    printf("\n");
    fflush(stdout);
}

static void print_machine(void) {
    char line[256];
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info != NULL && fgets(line, sizeof line, info) != NULL)
        if (strncmp(line, "model name", 10) == 0) {
            printf("%s", line);
            break;
        }
    if (info != NULL)
        fclose(info);
    printf("cpus       : %ld, gcc %s, records of %d bytes, capacity %d\n", sysconf(_SC_NPROCESSORS_ONLN), __VERSION__,
           RECORD, CAPACITY);
}

int main(void) {
    shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap");
    print_machine();
    pin(0);
    for (unsigned i = 0; i < sizeof rings / sizeof *rings; i++) {
        if (rings[i].create() != LF_OK)
            die(rings[i].name);
        for (uint64_t batch = 1; batch <= BATCH; batch *= BATCH) {
            struct run run = {&rings[i], batch};
            measure("one thread, put+get", &run, alone, 0);
            if (i == 0)
                lf_spsc_ring_release_role(&spsc_ring, LF_CONSUMER);
            if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
                measure("two processes", &run, between_processes, 1);
        }
        lf_detach(rings[i].handle());
    }
    return 0;
}
