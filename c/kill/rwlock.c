/* rwlock.c: RWLock, killed at every instruction.
 *
 * A dead reader is forgotten. A writer that died while it may have written is told of, to the next writer, once, and to
 * readers until then; one that certainly did not write is not. There is never a writer beside anybody. */
#include "kill.h"

#include <lockfree/rwlock.h>

static struct lf_rwlock object;

#include "calls.h"

static int64_t insist(int (*take)(struct lf_rwlock *l, uint64_t deadline), uint64_t deadline) {
    int status;
    do
        status = take(&object, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}

/* ---- what survivors call ---- */

static int64_t survivor_read(struct kill_message *m) { return insist(lf_rwlock_read, until(m->deadline)); }
static int64_t survivor_write(struct kill_message *m) { return insist(lf_rwlock_write, until(m->deadline)); }
static int64_t survivor_end_read(struct kill_message *m) { return (void)m, lf_rwlock_end_read(&object); }
static int64_t survivor_end_write(struct kill_message *m) { return (void)m, lf_rwlock_end_write(&object); }
static int64_t survivor_recover(struct kill_message *m) { return (void)m, lf_rwlock_recover(&object); }
static int64_t survivor_readers(struct kill_message *m) { return (void)m, lf_rwlock_readers(&object); }

/* ---- the operations ---- */

enum { NO = 1, TOLD = 2, LOST = 4 }; /* what the next writer gets: OK, OWNER_DIED, NOT_RECOVERABLE */
struct details {
    int before; /* while the operation has not ended */
    int after;
    int a_reads; /* A reads all the time */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static void arrange(void) {
    if (lf_rwlock_create(&object, NULL) != LF_OK)
        kill_breach("a lock", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    if (details()->a_reads)
        expect(&kill_a, survivor_read, 0, LF_OK, "read");
}
static void arm_read(void) { lf_rwlock_read(&object, 0); }
static void arm_write(void) { insist(lf_rwlock_write, LF_FOREVER); }
static void arrange_doomed_reader(void) {
    arrange();
    kill_start_doomed(arm_read);
}
static void arrange_doomed_writer(void) {
    arrange();
    kill_start_doomed(arm_write);
}
static void arrange_dead_writer(void) {
    arrange_doomed_writer();
    kill_end_doomed();
}
static int64_t act_read(void) { return insist(lf_rwlock_read, LF_FOREVER); }
static int64_t act_write(void) { return insist(lf_rwlock_write, LF_FOREVER); }
static int64_t act_write_in_no_time(void) { return insist(lf_rwlock_write, until(1)); }
static int64_t act_end_read(void) { return lf_rwlock_end_read(&object); }
static int64_t act_end_write(void) { return lf_rwlock_end_write(&object); }
static int64_t act_recover(void) { return lf_rwlock_recover(&object); }

/* ---- what the others may see after that ---- */

static void as_ever(void) {
    kill_newcomer();
    for (uint64_t n = 0; n < 3; n++) {
        struct kill_survivor *s = kill_turn(n), *other = kill_turn(n + 1);
        expect(s, survivor_read, KILL_AT_LAST, LF_OK, "read");
        expect(other, survivor_read, 0, LF_OK, "read beside a reader");
        expect(other, survivor_write, 0, LF_TIMEDOUT, "no writer beside readers");
        expect(s, survivor_readers, 0, 2, "two readers");
        expect(s, survivor_end_read, 0, LF_OK, "the end of a read");
        expect(other, survivor_end_read, 0, LF_OK, "the end of a read");
        expect(s, survivor_write, KILL_AT_LAST, LF_OK, "write");
        expect(other, survivor_read, 0, LF_TIMEDOUT, "no reader beside a writer");
        expect(other, survivor_write, 0, LF_TIMEDOUT, "no writer beside a writer");
        expect(s, survivor_end_write, 0, LF_OK, "the end of a write");
    }
}
static void judge(void) {
    int allowed = kill_now.ended ? details()->after : details()->before;
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    struct kill_survivor *s = kill_now.mode == KILL_NEW ? &kill_c : kill_turn(0);
    if (details()->a_reads) {
        expect(&kill_b, survivor_read, KILL_AT_LAST, LF_OK, "a reader beside a reader");
        expect(&kill_b, survivor_end_read, 0, LF_OK, "the end of a read");
        expect(&kill_a, survivor_end_read, 0, LF_OK, "the end of a read");
    }
    int64_t read = ask(s, survivor_read, KILL_AT_LAST);
    int found = read == LF_OK ? NO : read == LF_OWNER_DIED ? TOLD : read == LF_NOT_RECOVERABLE ? LOST : 0;
    if (!(found & allowed))
        kill_breach("an answer of its contract", "a read by %s got %lld", s->name, (long long)read);
    if (found == NO)
        expect(s, survivor_end_read, 0, LF_OK, "the end of a read");
    int64_t expected = found == NO ? LF_OK : read;
    expect(s, survivor_write, KILL_AT_LAST, expected, "what the reader was told");
    if (found == LOST)
        return;
    if (found == TOLD)
        expect(s, survivor_recover, 0, LF_OK, "recover");
    expect(s, survivor_end_write, 0, LF_OK, "the end of a write");
    as_ever();
}
/* The victim waits for A, which reads. */
static void rouse(void) { expect(&kill_a, survivor_end_read, 0, LF_OK, "the end of a read"); }
static void judge_roused(void) {
    if (!kill_now.roused)
        rouse();
    int64_t status = ask(&kill_b, survivor_write, KILL_AT_LAST);
    if (status != LF_OK && !(status == LF_OWNER_DIED && kill_now.roused))
        kill_breach("the lock", "a write by B got %lld", (long long)status);
    if (status == LF_OK && kill_now.ended)
        kill_breach("OWNER_DIED", "a write by B got OK");
    if (status == LF_OWNER_DIED)
        expect(&kill_b, survivor_recover, 0, LF_OK, "recover");
    expect(&kill_b, survivor_end_write, 0, LF_OK, "the end of a write");
    as_ever();
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, arrange, arm, act, answer, ...)                                                                     \
    {name, KILL_DEAD_MODES, arrange, arm, NULL, act, answer, NULL, judge, WITH(__VA_ARGS__), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("read", arrange, NULL, act_read, LF_OK, NO, NO, 0),
    CALL("read-beside-reader", arrange, NULL, act_read, LF_OK, NO, NO, 1),
    CALL("end-read", arrange, arm_read, act_end_read, LF_OK, NO, NO, 0),
    CALL("write", arrange, NULL, act_write, LF_OK, NO | TOLD, TOLD, 0),
    CALL("write-in-vain", arrange, NULL, act_write_in_no_time, LF_TIMEDOUT, NO, NO, 1),
    CALL("write-after-death", arrange_dead_writer, NULL, act_write, LF_OWNER_DIED, TOLD, TOLD, 0),
    CALL("end-write", arrange, arm_write, act_end_write, LF_OK, NO | TOLD, NO, 0),
    CALL("end-write-unrecovered", arrange_dead_writer, arm_write, act_end_write, LF_OK, TOLD | LOST, LOST, 0),
    CALL("recover", arrange_dead_writer, arm_write, act_recover, LF_OK, TOLD, TOLD, 0),
    {"write-behind-reader", KILL_DEAD_MODES, arrange, NULL, NULL, act_write, LF_OK, NULL, judge_roused,
     WITH(NO, TOLD, 1), rouse, 0},
    {"reap-of-reader", KILL_DEAD_MODES, arrange_doomed_reader, NULL, kill_end_doomed, act_reap, 1, NULL, judge,
     WITH(NO, NO, 0), NULL, 0},
    {"reap-of-writer", KILL_DEAD_MODES, arrange_doomed_writer, NULL, kill_end_doomed, act_reap, 1, NULL, judge,
     WITH(TOLD, TOLD, 0), NULL, 0},
    CALL("detach-reading", arrange, arm_read, act_detach, LF_OK, NO, NO, 0),
    CALL("detach-writing", arrange, arm_write, act_detach, LF_OK, TOLD, TOLD, 0),
};

const struct kill_subject kill_subject = {
    "rwlock", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_rwlock_kind, NULL,
    NULL,     NULL};
