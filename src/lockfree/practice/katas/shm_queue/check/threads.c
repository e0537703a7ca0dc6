/* Real processes, each with its own mapping, and a writer that is killed again and again. */
#define _GNU_SOURCE
#include <assert.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm_queue.h"

enum { RECORDS = 50000, KILLS = 40, BYTES = 1 << 20 };

struct board {
    atomic_uint done;              /* puts of the writer that have returned */
    atomic_int dead[SHM_MOST + 1]; /* set by the parent, after it has waited for the process */
};
static struct board *board;
static int file;

int shm_alive(uint32_t process) { return process >= 1 && process <= SHM_MOST && !atomic_load(&board->dead[process]); }

static void *map(int anew) {
    void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    assert(memory != MAP_FAILED);
    if (anew) { /* at another address than the parent's */
        void *other = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        munmap(memory, BYTES);
        return other;
    }
    return memory;
}

static pid_t writer(uint32_t process, struct shm_queue *parents, uint32_t from, uint32_t records) {
    pid_t child = fork();
    assert(child >= 0);
    if (child != 0)
        return child;
    struct shm_queue *queue = map(1);
    munmap(parents, BYTES);
    for (uint32_t value = from; value - from < records;) {
        if (shm_put(queue, process, value))
            atomic_store(&board->done, ++value);
        else
            sched_yield();
    }
    _exit(0);
}

static struct shm_queue *fresh(uint32_t capacity) {
    file = memfd_create("queue", MFD_CLOEXEC);
    assert(file >= 0 && shm_size(capacity) <= BYTES);
    int sized = ftruncate(file, BYTES);
    assert(sized == 0);
    struct shm_queue *queue = map(0);
    shm_init(queue, capacity);
    atomic_store(&board->done, 0);
    for (int i = 0; i <= SHM_MOST; i++)
        atomic_store(&board->dead[i], 0);
    return queue;
}

/* A writer that crashes may hold what the reader waits for. */
static void crashed(int number) {
    (void)number;
    siginfo_t how = {0};
    int crashes = waitid(P_ALL, 0, &how, WEXITED | WNOHANG | WNOWAIT) == 0 && how.si_code != CLD_EXITED &&
                  (how.si_status == SIGSEGV || how.si_status == SIGBUS);
    assert(!crashes && "[H7] the writer crashes at its own address");
}

static void two_processes(void) {
    struct shm_queue *queue = fresh(64);
    pid_t child = writer(1, queue, 0, RECORDS);
    for (uint32_t expected = 0, value; expected < RECORDS;) {
        if (!shm_get(queue, 2, &value)) {
            sched_yield();
            continue;
        }
        assert(value == expected && "[H5] between processes: whole, and in order");
        expected++;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    munmap(queue, BYTES);
    close(file);
}

static void killed(uint32_t seed) {
    struct shm_queue *queue = fresh(4);
    pid_t child = writer(1, queue, 0, UINT32_MAX);
    uint32_t expected = 0, value;
    for (uint32_t gets = 0; gets < 20 + seed % 64;) {
        if (!shm_get(queue, 2, &value)) {
            sched_yield();
            continue;
        }
        assert(value == expected && "[H5] before a death: in order");
        expected++, gets++;
    }
    for (volatile uint32_t spin = 0; spin < seed % 4001; spin++)
        ;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    atomic_store(&board->dead[1], 1);
    uint32_t done = atomic_load(&board->done);
    while (shm_get(queue, 2, &value)) {
        assert(value == expected && "[H5] after a death: in order, nothing twice");
        expected++;
    }
    assert((expected == done || expected == done + 1) && "[H3] what was put before the death comes out");
    for (uint32_t i = 0; i < 4; i++) {
        int put = shm_put(queue, 3, i);
        assert(put && "[H4] an empty queue has room for all its records");
    }
    munmap(queue, BYTES);
    close(file);
}

int main(void) {
    board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(board != MAP_FAILED);
    signal(SIGCHLD, crashed);
    two_processes();
    for (uint32_t seed = 1; seed <= KILLS; seed++)
        killed(seed * 2654435761u % 100003);
    return 0;
}
