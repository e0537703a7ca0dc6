/* On the real machine: two readers check what a writer and an upgrading reader write. */
#include "futex_given.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "rwlock.h"

enum { TURNS = 10000 };

static struct rwlock *lock;
static long left, right;

static void *reads(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        rwlock_read(lock);
        assert(left == right && "a reader sees no half of a write");
        rwlock_read_unlock(lock);
    }
    return none;
}

static void *writes(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        rwlock_write(lock);
        left++;
        right++;
        rwlock_write_unlock(lock);
    }
    return none;
}

static void *upgrades(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        rwlock_read(lock);
        long seen = left;
        int writer = rwlock_upgrade(lock);
        assert(writer && "nobody else upgrades");
        assert(left == seen && "nobody writes during an upgrade");
        left++;
        right++;
        rwlock_write_unlock(lock);
    }
    return none;
}

int main(void) {
    pthread_t threads[4];
    void *(*ways[])(void *) = {reads, reads, writes, upgrades};
    lock = aligned_alloc(64, (rwlock_size() + 63) / 64 * 64);
    assert(lock != NULL);
    rwlock_init(lock);
    for (int i = 0; i < 4; i++) {
        int failed = pthread_create(&threads[i], NULL, ways[i], NULL);
        assert(!failed);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert(left == 2L * TURNS && right == left && "no write is lost");
    free(lock);
    return 0;
}
