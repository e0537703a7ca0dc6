/* On the real machine: two writers and two readers; and a reader of a lock that nobody can write to. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "seqlock.h"

enum { RECORDS = 20000 };

static struct seqlock *lock;
static _Atomic int writing = 2;

static void *write_all(void *number) {
    uint64_t first = *(uint64_t *)number;
    for (uint64_t stamp = first; stamp <= RECORDS; stamp += 2) {
        struct quote record = {stamp, {~stamp, stamp * 3}};
        seqlock_write(lock, &record);
        if (stamp % 64 < 2)
            sched_yield();
    }
    atomic_fetch_sub(&writing, 1);
    return NULL;
}

static void *read_all(void *none) {
    uint64_t last = 0;
    while (atomic_load(&writing) > 0) {
        struct quote record;
        if (seqlock_try_read(lock, &record)) {
            assert((record.stamp == 0 || record.word[0] == ~record.stamp) && "four threads: the record is whole");
            assert(record.word[1] == record.stamp * 3 && "four threads: the record is whole");
            assert(record.stamp >= last && "four threads: records never get older");
            last = record.stamp;
        }
        sched_yield();
    }
    return none;
}

#define LINE_(number) #number
#define LINE(number) LINE_(number)

static void wrote(int number) {
    static const char said[] = __FILE__
        ":" LINE(__LINE__) ": reader: Assertion `writes == 0 && \"a reader writes nothing to shared memory\"' failed\n";
    ssize_t written = write(STDERR_FILENO, said, sizeof said - 1);
    _exit(written > 0 ? 128 + number : 127);
}

static void read_only(void) {
    void *memory = mmap(NULL, seqlock_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(memory != MAP_FAILED);
    seqlock_init(memory, 0);
    struct quote record = {1, {~UINT64_C(1), 3}}, found;
    seqlock_write(memory, &record);
    int failed = mprotect(memory, seqlock_size(), PROT_READ);
    assert(!failed);
    void (*before)(int) = signal(SIGSEGV, wrote);
    int readable = seqlock_try_read(memory, &found);
    assert(readable && found.stamp == 1 && "a record that nobody writes is read");
    seqlock_read(memory, &found);
    assert(found.stamp == 1 && "a record that nobody writes is read");
    signal(SIGSEGV, before);
    munmap(memory, seqlock_size());
}

int main(void) {
    read_only();
    size_t bytes = (seqlock_size() + 63) / 64 * 64;
    lock = aligned_alloc(64, bytes);
    assert(lock != NULL);
    memset(lock, 0, bytes);
    seqlock_init(lock, UINT32_MAX - 999);
    pthread_t threads[4];
    uint64_t first[2] = {1, 2};
    for (int i = 0; i < 4; i++) {
        int failed = pthread_create(&threads[i], NULL, i < 2 ? write_all : read_all, i < 2 ? &first[i] : NULL);
        assert(!failed);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct quote record;
    int readable = seqlock_try_read(lock, &record);
    assert(readable && record.stamp == RECORDS && "four threads: the newest record stays");
    free(lock);
    return 0;
}
