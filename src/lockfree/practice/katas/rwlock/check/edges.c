/* One thread. What the others do while it sleeps, the judge does inside futex_wait. */
#include "lockfree_model.h"
#include "rwlock.h"

enum { FOR_EVER = 1000 };

static struct rwlock *lock;
static void (*meanwhile[3])(void); /* while the first sleeper sleeps, the second */
static uint32_t asleep, woken, waits;

void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
    lf_model_assert(waits++ < FOR_EVER);
    if (atomic_load(word) != expected)
        return;
    lf_model_assert(asleep < 2 && meanwhile[asleep] != NULL); /* nobody would wake it */
    asleep++;
    meanwhile[asleep - 1]();
    lf_model_assert(woken > 0); /* it could go on, and sleeps */
    woken--;
    asleep--;
}

void futex_wake(_Atomic uint32_t *word, uint32_t count) {
    (void)word;
    woken = count < asleep - woken ? woken + count : asleep;
}

static void make(void) {
    lock = lf_model_shared(rwlock_size());
    rwlock_init(lock);
}
static void read_unlock(void) { rwlock_read_unlock(lock); }
static void write_unlock(void) { rwlock_write_unlock(lock); }
static void is_free(void) {
    lf_model_assert(rwlock_try_write(lock));
    rwlock_write_unlock(lock);
    lf_model_assert(rwlock_try_read(lock));
    rwlock_read_unlock(lock);
}

static void alone(void) {
    for (int turn = 0; turn < 2; turn++) {
        rwlock_write(lock);
        lf_model_assert(!rwlock_try_read(lock));
        lf_model_assert(!rwlock_try_write(lock));
        rwlock_write_unlock(lock);
        rwlock_read(lock);
        lf_model_assert(!rwlock_try_write(lock));
        lf_model_assert(rwlock_try_read(lock));
        rwlock_read_unlock(lock);
        rwlock_read_unlock(lock);
        is_free();
    }
}

static void many_readers(void) {
    for (int reader = 0; reader < 1000; reader++)
        rwlock_read(lock);
    for (int reader = 0; reader < 1000; reader++) {
        lf_model_assert(reader % 100 != 0 || !rwlock_try_write(lock));
        rwlock_read_unlock(lock);
    }
    is_free();
}

/* A writer waits for a reader. */
static void no_reader_comes_in(void) {
    lf_model_assert(!rwlock_try_read(lock));
    lf_model_assert(!rwlock_try_read(lock));
    rwlock_read_unlock(lock);
}
static void writer_first(void) {
    meanwhile[0] = no_reader_comes_in;
    make();
}
static void writer_waits(void) {
    rwlock_read(lock);
    rwlock_write(lock);
    lf_model_assert(!rwlock_try_read(lock));
    rwlock_write_unlock(lock);
    is_free();
}

static void reader_leaves(void) {
    meanwhile[0] = read_unlock;
    make();
}

/* Two readers sleep because of a writer; both must be woken. */
static void reads(void) { rwlock_read(lock); }
static void readers_sleep(void) {
    meanwhile[0] = reads;
    meanwhile[1] = write_unlock;
    make();
}
static void two_readers(void) {
    rwlock_write(lock);
    rwlock_read(lock);
    lf_model_assert(!rwlock_try_write(lock));
    rwlock_read_unlock(lock);
    lf_model_assert(!rwlock_try_write(lock));
    rwlock_read_unlock(lock);
    is_free();
}

/* A reader waits behind a writer that waits for a reader. */
static void reads_behind(void) {
    rwlock_read(lock);
    rwlock_read_unlock(lock);
}
static void writes_and_leaves(void) { rwlock_write_unlock(lock); }
static void writer_leaves(void) {
    meanwhile[0] = writes_and_leaves;
    make();
}
static void reader_waits(void) {
    rwlock_write(lock);
    reads_behind();
    is_free();
}

static void upgrade_alone(void) {
    for (int turn = 0; turn < 2; turn++) {
        rwlock_read(lock);
        lf_model_assert(rwlock_upgrade(lock));
        lf_model_assert(!rwlock_try_read(lock));
        lf_model_assert(!rwlock_try_write(lock));
        rwlock_write_unlock(lock);
        is_free();
    }
}

static void second_is_refused(void) {
    uint32_t before = asleep;
    lf_model_assert(!rwlock_try_read(lock)); /* new readers wait */
    lf_model_assert(!rwlock_try_write(lock));
    meanwhile[1] = NULL;
    lf_model_assert(!rwlock_upgrade(lock)); /* at once */
    lf_model_assert(asleep == before);
    rwlock_read_unlock(lock);
}
static void two_upgrade(void) {
    meanwhile[0] = second_is_refused;
    make();
}
static void upgrade_waits(void) {
    rwlock_read(lock);
    rwlock_read(lock);
    lf_model_assert(rwlock_upgrade(lock));
    lf_model_assert(!rwlock_try_read(lock));
    rwlock_write_unlock(lock);
    rwlock_read(lock);
    lf_model_assert(rwlock_upgrade(lock));
    rwlock_write_unlock(lock);
    is_free();
}

LF_MODEL_CLIENT(edge_alone, .setup = make, .threads = {alone});
LF_MODEL_CLIENT(edge_readers, .setup = make, .threads = {many_readers});
LF_MODEL_CLIENT(edge_wake_writer, .setup = reader_leaves, .threads = {writer_waits});
LF_MODEL_CLIENT(edge_wake_reader, .setup = writer_leaves, .threads = {reader_waits});
LF_MODEL_CLIENT(edge_wake_readers, .setup = readers_sleep, .threads = {two_readers});
LF_MODEL_CLIENT(edge_writer_first, .setup = writer_first, .threads = {writer_waits});
LF_MODEL_CLIENT(edge_upgrade, .setup = make, .threads = {upgrade_alone});
LF_MODEL_CLIENT(edge_upgrade_2, .setup = two_upgrade, .threads = {upgrade_waits});
