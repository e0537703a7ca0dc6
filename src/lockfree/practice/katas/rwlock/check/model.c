/* Which side of the lock is at fault shows by fences: the judge's own fence stands in for one side, or for both. */
#include "futex_given.h"

#include "lockfree_model.h"
#include "rwlock.h"

enum { ENTRY = 1, EXIT = 2, WRITER = 100 };

static struct rwlock *lock;
static _Atomic int inside;
static int data;

static void make(void) {
    lock = lf_model_shared(rwlock_size());
    rwlock_init(lock);
}

static void read_section(int fences) {
    if (fences & ENTRY)
        atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed) < WRITER);
    (void)*(volatile int *)&data;
    atomic_fetch_sub_explicit(&inside, 1, memory_order_relaxed);
    if (fences & EXIT)
        atomic_thread_fence(memory_order_release);
}
static void write_section(int fences) {
    if (fences & ENTRY)
        atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_fetch_add_explicit(&inside, WRITER, memory_order_relaxed) == 0);
    data++;
    atomic_fetch_sub_explicit(&inside, WRITER, memory_order_relaxed);
    if (fences & EXIT)
        atomic_thread_fence(memory_order_release);
    rwlock_write_unlock(lock);
}

static void reader(int fences) {
    rwlock_read(lock);
    read_section(fences);
    rwlock_read_unlock(lock);
}
static void try_reader(int fences) {
    if (rwlock_try_read(lock)) {
        read_section(fences);
        rwlock_read_unlock(lock);
    }
}
static void writer(int fences) {
    rwlock_write(lock);
    write_section(fences);
}
static void try_writer(int fences) {
    if (rwlock_try_write(lock))
        write_section(fences);
}
static void upgrader(int fences) {
    rwlock_read(lock);
    if (rwlock_upgrade(lock)) {
        write_section(fences);
    } else {
        read_section(fences);
        rwlock_read_unlock(lock);
    }
}

/* Nobody may write between what an upgrader reads and what it writes. */
static void adds_one(void) {
    rwlock_read(lock);
    atomic_thread_fence(memory_order_acquire);
    int seen = data;
    int writes = rwlock_upgrade(lock);
    atomic_thread_fence(memory_order_acquire);
    if (writes) {
        lf_model_assert(data == seen);
        data = seen + 1;
    }
    atomic_thread_fence(memory_order_release);
    if (writes)
        rwlock_write_unlock(lock);
    else
        rwlock_read_unlock(lock);
}

/* Two readers do not keep each other out. */
static void must_read(void) { lf_model_assert(rwlock_try_read(lock)); }

#define BOTH(who)                                                                                                      \
    static void who##_both(void) { who(ENTRY | EXIT); }                                                                \
    static void who##_entry(void) { who(ENTRY); }                                                                      \
    static void who##_exit(void) { who(EXIT); }
BOTH(reader)
BOTH(writer)
BOTH(try_reader)
BOTH(try_writer)
BOTH(upgrader)

static void held(void) {
    make();
    rwlock_read(lock);
}
static void held_twice(void) {
    held();
    rwlock_read(lock);
}
static void leave(void) { rwlock_read_unlock(lock); }
/* By one of the readers that are there, and nobody else upgrades. */
static void upgrade_now(void) {
    lf_model_assert(rwlock_upgrade(lock));
    rwlock_write_unlock(lock);
}
static void is_free(void) { lf_model_assert(rwlock_try_write(lock)); }

#define CLIENT(name, ...) LF_MODEL_CLIENT(name, .setup = make, .threads = {__VA_ARGS__}, .final = is_free)

CLIENT(exclusion_writers, writer_both, writer_both);
LF_MODEL_CLIENT(readers, .setup = held, .threads = {leave, reader_both, try_writer_both}, .final = is_free);
CLIENT(exclusion, reader_both, writer_both);
CLIENT(exclusion_try_read, try_reader_both, writer_both);
CLIENT(exclusion_try_write, reader_both, try_writer_both);
CLIENT(upgrade, upgrader_both, reader_both);
CLIENT(upgrade_2, upgrader_both, upgrader_both);
CLIENT(upgrade_and_writer, adds_one, writer_both);
LF_MODEL_CLIENT(together, .setup = make, .threads = {must_read, must_read});
CLIENT(unlock_writers, writer_entry, writer_entry);
CLIENT(unlock_read, reader_entry, writer_entry);
CLIENT(unlock_upgraded, upgrader_entry, reader_entry);
CLIENT(take_write, writer_exit, writer_exit);
CLIENT(take_read, reader_exit, writer_exit);
CLIENT(take_try_read, try_reader_exit, writer_exit);
CLIENT(take_try_write, reader_exit, try_writer_exit);
CLIENT(take_upgrade, upgrader_exit, reader_exit);
/* The last reader but one leaves; the one that upgrades sleeps, and so does one that came later. */
LF_MODEL_CLIENT(wake_upgrader, .setup = held_twice, .threads = {leave, upgrade_now, reader_both}, .final = is_free);
/* The last reader leaves; two writers sleep. */
LF_MODEL_CLIENT(wake_writers, .setup = held, .threads = {leave, writer_both, writer_both}, .final = is_free);
