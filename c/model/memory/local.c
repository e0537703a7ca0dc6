/* local.c: thread-local variables end with their thread, for others that have their address. What main of a whole program
 * has lives as long as the program. */
#include "memory.h"

MODEL_STATE static bool foreign[MAX_THREADS]; /* others have touched one of them */

static bool lives_on(int tid) { return tid == 1 && R.whole_program; }

void local_begin(int tid) { foreign[tid] = false; }

/* An access to memory that is not in the heap. */
void local_check(uintptr_t address, size_t size, bool write, uint64_t pc) {
    int tid = tls_owner(address);
    if (tid == 0 || !R.running || tid == R.current->tid || lives_on(tid))
        return;
    foreign[tid] = true;
    if (R.thread[tid].finished)
        fail("use after return", "%s of %zu bytes at %p @%lx@, which is thread-local: T%d that had it has ended",
             write ? "write" : "read", size, (void *)address, (unsigned long)pc, tid);
}

/* The thread ends. Returns true if others have touched the memory from *low to *high, which ends with it. */
bool local_end(int tid, uintptr_t *low, uintptr_t *high) {
    size_t bytes;
    *low = (uintptr_t)tls_block(tid, &bytes);
    *high = *low + bytes;
    return foreign[tid] && !lives_on(tid);
}
