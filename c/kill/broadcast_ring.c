/* broadcast_ring.c: BroadcastRing, killed at every instruction, as writer and as reader.
 *
 * A and B are readers 0 and 1; the victim writes, or is reader 2. After its death A and B see the same messages: those
 * from before, and of a put that was cut off all of it or nothing. Then each of them writes more than the ring holds,
 * and everybody gets that: the dead one holds nobody back, its role and its place are free. */
#include "kill.h"

#include <lockfree/broadcast_ring.h>

#define SIZE 256u /* the messages here take 32 to 96 bytes */
#define ROOM 112u
enum { BEFORE = 1, VICTIM = 100, AFTER = 200 };

static struct lf_broadcast_ring object;

struct details {
    uint64_t slow;
    uint64_t before; /* messages 1..before are there, and A and B have read them all but the last `unread` */
    uint64_t unread;
    uint64_t put;  /* messages of the victim's call: VICTIM, VICTIM + 1, ... */
    int is_reader; /* the victim is reader 2, too */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static uint64_t until(uint64_t span) { return span == 0 ? 0 : span == LF_FOREVER ? LF_FOREVER : lf_now() + span; }
static uint64_t length_of(uint64_t id) { return 8 + id * 11 % 40; }
static uint64_t write_message(unsigned char *message, uint64_t id) {
    memcpy(message, &id, 8);
    for (uint64_t i = 8; i < length_of(id); i++)
        message[i] = (unsigned char)(id + i * 7);
    return length_of(id);
}
/* The id of a message, or -1000 if it is not as it was written. */
static int64_t read_message(const unsigned char *message, int64_t length) {
    uint64_t id;
    if (length < 8)
        return length < 0 ? length : -1000;
    memcpy(&id, message, 8);
    for (int64_t i = 8; i < length; i++)
        if (message[i] != (unsigned char)(id + (uint64_t)i * 7))
            return -1000;
    return (uint64_t)length == length_of(id) ? (int64_t)id : -1000;
}

/* ---- what survivors call ---- */

static int64_t survivor_put(struct kill_message *m) {
    unsigned char message[64];
    uint64_t length = write_message(message, m->id), deadline = until(m->deadline);
    int status;
    do
        status = lf_broadcast_ring_put(&object, message, length, LF_BROADCAST_TO_ALL, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t survivor_get(struct kill_message *m) {
    unsigned char message[ROOM];
    uint64_t deadline = until(m->deadline);
    int64_t length;
    do
        length = lf_broadcast_ring_get(&object, (uint32_t)m->amount, message, sizeof message, deadline);
    while (length == LF_INTERRUPTED);
    return read_message(message, length);
}
static int64_t survivor_join(struct kill_message *m) { return lf_broadcast_ring_join(&object, (uint32_t)m->amount); }
static int64_t survivor_leave(struct kill_message *m) { return lf_broadcast_ring_leave(&object, (uint32_t)m->amount); }
static int64_t survivor_resign(struct kill_message *m) { return (void)m, lf_broadcast_ring_release_role(&object); }

static int64_t ask(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t id, uint64_t amount,
                   uint64_t deadline) {
    struct kill_message m = {.call = call, .id = id, .amount = amount, .deadline = deadline};
    return kill_ask(s, &m);
}
static void expect(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t id, uint64_t amount,
                   uint64_t deadline, int64_t expected, const char *what) {
    int64_t answer = ask(s, call, id, amount, deadline);
    if (answer != expected)
        kill_breach(what, "%s got %lld instead of %lld", s->name, (long long)answer, (long long)expected);
}

/* ---- the operations ---- */

static struct kill_survivor *reader(uint64_t k) { return k == 0 ? &kill_a : &kill_b; }

static void arrange(void) {
    static const uint64_t starts[] = {0, UINT64_MAX - 63};
    if (lf_broadcast_ring_create(&object, NULL, SIZE, 4, details()->slow, starts[kill_now.seed & 1]) != LF_OK)
        kill_breach("a ring", "it cannot be created");
    for (uint64_t k = 0; k < 2; k++) {
        kill_attach_survivor(reader(k));
        expect(reader(k), survivor_join, 0, k, 0, (int64_t)k, "join");
    }
    for (uint64_t id = 1; id <= details()->before; id++) {
        expect(&kill_a, survivor_put, id, 0, 0, LF_OK, "put");
        for (uint64_t k = 0; k < 2 && id + details()->unread <= details()->before; k++)
            expect(reader(k), survivor_get, 0, k, 0, (int64_t)id, "get");
    }
    if (details()->before > 0)
        expect(&kill_a, survivor_resign, 0, 0, 0, LF_OK, "release_role");
}
static void arm_reader(void) {
    if (details()->is_reader)
        lf_broadcast_ring_join(&object, 2);
}
/* There is a message for the victim that has joined. */
static void ready_message(void) {
    expect(&kill_a, survivor_put, 50, 0, 0, LF_OK, "put");
    for (uint64_t k = 0; k < 2; k++)
        expect(reader(k), survivor_get, 0, k, 0, 50, "get");
    expect(&kill_a, survivor_resign, 0, 0, 0, LF_OK, "release_role");
}

static int64_t act_put(void) {
    unsigned char message[64];
    uint64_t length = write_message(message, VICTIM);
    return lf_broadcast_ring_try_put(&object, message, length, LF_BROADCAST_TO_ALL);
}
static int64_t act_put_waiting(void) {
    unsigned char message[64];
    uint64_t length = write_message(message, VICTIM);
    return lf_broadcast_ring_put(&object, message, length, LF_BROADCAST_TO_ALL, LF_FOREVER);
}
static int64_t act_put_in_vain(void) {
    unsigned char message[64];
    uint64_t length = write_message(message, VICTIM);
    return lf_broadcast_ring_put(&object, message, length, LF_BROADCAST_TO_ALL, until(1));
}
static int64_t act_put_many(void) {
    unsigned char messages[128];
    uint32_t lengths[2];
    lengths[0] = (uint32_t)write_message(messages, VICTIM);
    lengths[1] = (uint32_t)write_message(messages + lengths[0], VICTIM + 1);
    return lf_broadcast_ring_put_many(&object, messages, lengths, 2, LF_BROADCAST_TO_ALL);
}
static int64_t act_write(void) {
    int64_t place = lf_broadcast_ring_reserve(&object, 64);
    if (place < 0)
        return place;
    uint64_t length = write_message(object.bytes + place, VICTIM);
    return lf_broadcast_ring_commit(&object, place, 64, length, LF_BROADCAST_TO_ALL);
}
static int64_t act_get(void) {
    unsigned char message[ROOM];
    return read_message(message, lf_broadcast_ring_try_get(&object, 2, message, sizeof message));
}
static int64_t act_read(void) {
    uint64_t length = 0;
    int64_t place = lf_broadcast_ring_peek(&object, 2, &length);
    return place < 0 ? place : lf_broadcast_ring_take(&object, 2, place, NULL, length);
}
static int64_t act_join(void) { return lf_broadcast_ring_join(&object, 2); }
static int64_t act_join_any(void) { return lf_broadcast_ring_join(&object, LF_ANY_READER); }
static int64_t act_leave(void) { return lf_broadcast_ring_leave(&object, 2); }
static int64_t act_release_role(void) { return lf_broadcast_ring_release_role(&object); }
static void arm_writer(void) {
    unsigned char message[64];
    uint64_t length = write_message(message, VICTIM);
    lf_broadcast_ring_try_put(&object, message, length, LF_BROADCAST_TO_ALL);
}
static int64_t act_shutdown(void) { return lf_broadcast_ring_shutdown(&object, 0), LF_OK; }
static int64_t act_reap(void) { return lf_reap(&object.h); }
static int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
static int inherited;
static void arm_attach(void) { inherited = dup(object.h.fd); }
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }
/* A doomed process: it reads, writes, and is recovered by the victim. */
static void read_and_write(void) {
    lf_broadcast_ring_join(&object, 2);
    arm_writer();
}
static void arrange_doomed(void) {
    arrange();
    kill_start_doomed(read_and_write);
}

/* ---- what the others may see after that ---- */

/* Reads what is there. Returns how many of the victim's messages there were. */
static uint64_t read_all(uint64_t k) {
    uint64_t next = details()->before - details()->unread + 1, seen = 0;
    for (;;) {
        int64_t id = ask(reader(k), survivor_get, 0, k, 0);
        if (id == LF_EMPTY || id == LF_CLOSED)
            break;
        if (id == (int64_t)next && next <= details()->before)
            next++;
        else if (id == (int64_t)(VICTIM + seen) && next > details()->before && seen < details()->put)
            seen++;
        else
            kill_breach("messages in order", "%s got %lld after %llu and %llu of the victim's", reader(k)->name,
                        (long long)id, (unsigned long long)next - 1, (unsigned long long)seen);
    }
    if (next <= details()->before && details()->slow == LF_SLOW_WAIT)
        kill_breach("every message", "%s did not get %llu", reader(k)->name, (unsigned long long)next);
    if (kill_now.ended && seen != details()->put)
        kill_breach("every message of a put that has ended", "%s got %llu of %llu", reader(k)->name,
                    (unsigned long long)seen, (unsigned long long)details()->put);
    return seen;
}
/* Each writes more than the ring holds. The dead one is noticed at the latest by a process that would wait for it. */
static void as_ever(void) {
    uint64_t id = AFTER;
    kill_newcomer();
    for (uint64_t n = 0; n < 3; n++) {
        struct kill_survivor *writer = n == 0 ? &kill_c : kill_turn(n);
        for (uint64_t i = 0; i < 5; i++, id++) {
            expect(writer, survivor_put, id, 0, KILL_AT_LAST, LF_OK, "put");
            for (uint64_t k = 0; k < 2; k++)
                expect(reader(k), survivor_get, 0, k, i % 2 ? KILL_AT_LAST : 0, (int64_t)id, "the message");
        }
        expect(writer, survivor_resign, 0, 0, 0, LF_OK, "release_role");
    }
    expect(&kill_c, survivor_join, 0, 2, 0, 2, "the place of the dead one");
    expect(&kill_a, survivor_put, id, 0, KILL_AT_LAST, LF_OK, "put");
    expect(&kill_c, survivor_get, 0, 2, 0, (int64_t)id, "the message");
    expect(&kill_c, survivor_leave, 0, 2, 0, LF_OK, "leave");
}
static void both_see_the_same(void) {
    uint64_t first = read_all(0), second = read_all(1);
    if (first != second)
        kill_breach("the same messages for both", "A got %llu of the victim's, B %llu", (unsigned long long)first,
                    (unsigned long long)second);
}
static void judge(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    if (kill_now.mode == KILL_WAIT) /* as soon as the victim's role is free, somebody writes */
        for (uint64_t k = 0; k < 2; k++)
            expect(reader(k), survivor_join, 0, k, 0, (int64_t)k, "join anew");
    else if (kill_now.mode != KILL_STOPPED)
        both_see_the_same();
    as_ever();
}
/* The victim is stopped. Readers go on. */
static void beside(void) { both_see_the_same(); }
/* The ring is full: A and B have read nothing. They read while the victim sleeps. */
static void rouse(void) { read_all(0), read_all(1); }
static void judge_roused(void) {
    for (uint64_t k = 0; k < 2; k++)
        expect(reader(k), survivor_join, 0, k, 0, (int64_t)k, "join anew");
    as_ever();
}
/* A shut-down ring: everybody is told, after what is inside. */
static void judge_shutdown(void) {
    both_see_the_same();
    int64_t answer = ask(&kill_b, survivor_put, AFTER, 0, 0);
    if (answer != LF_CLOSED && (kill_now.ended || answer != LF_OK))
        kill_breach("CLOSED", "B's put got %lld", (long long)answer);
}
/* B sleeps in get; the victim puts. */
static struct kill_message sleeper;
static void send_b_to_sleep(void) {
    struct kill_message m = {.call = survivor_get, .amount = 1, .deadline = 60000 * KILL_MS};
    sleeper = m;
    kill_begin_ask(&kill_b, &sleeper);
    kill_wait_asleep(&kill_b);
}
static void judge_sleeper(void) {
    uint64_t seen = read_all(0);
    if (seen == 0)
        expect(&kill_a, survivor_put, VICTIM, 0, KILL_AT_LAST, LF_OK, "put");
    int64_t answer = kill_end_ask(&kill_b, &sleeper);
    if (answer != VICTIM)
        kill_breach("the message", "the sleeper got %lld", (long long)answer);
    if (seen == 0) {
        expect(&kill_a, survivor_get, 0, 0, 0, VICTIM, "the message");
        expect(&kill_a, survivor_resign, 0, 0, 0, LF_OK, "release_role");
    }
    as_ever();
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, arm, ready, act, answer, ...)                                                                       \
    {name, KILL_ALL_MODES, arrange, arm, ready, act, answer, beside, judge, WITH(__VA_ARGS__), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("put", NULL, NULL, act_put, LF_OK, LF_SLOW_WAIT, 0, 0, 1, 0),
    CALL("put-round-the-end", NULL, NULL, act_put, LF_OK, LF_SLOW_WAIT, 6, 1, 1, 0),
    CALL("put-in-vain", NULL, NULL, act_put_in_vain, LF_FULL, LF_SLOW_WAIT, 5, 5, 0, 0),
    CALL("put-overwriting", NULL, NULL, act_put, LF_OK, LF_SLOW_OVERWRITE, 8, 0, 1, 0),
    CALL("put-many", NULL, NULL, act_put_many, 2, LF_SLOW_WAIT, 2, 1, 2, 0),
    CALL("write", NULL, NULL, act_write, LF_OK, LF_SLOW_WAIT, 3, 0, 1, 0),
    {"put-woken", KILL_DEAD_MODES, arrange, NULL, NULL, act_put_waiting, LF_OK, NULL, judge_roused,
     WITH(LF_SLOW_WAIT, 5, 5, 1, 0), rouse, 0},
    {"put-to-sleeper", 1u << KILL_GO_ON, arrange, NULL, send_b_to_sleep, act_put, LF_OK, NULL, judge_sleeper,
     WITH(LF_SLOW_WAIT, 0, 0, 1, 0), NULL, 0},
    CALL("get", arm_reader, ready_message, act_get, 50, LF_SLOW_WAIT, 2, 0, 0, 1),
    CALL("get-overwritten", arm_reader, ready_message, act_get, 50, LF_SLOW_OVERWRITE, 2, 0, 0, 1),
    CALL("get-empty", arm_reader, NULL, act_get, LF_EMPTY, LF_SLOW_WAIT, 2, 0, 0, 1),
    CALL("read", arm_reader, ready_message, act_read, LF_OK, LF_SLOW_WAIT, 2, 0, 0, 1),
    CALL("join", NULL, NULL, act_join, 2, LF_SLOW_WAIT, 3, 1, 0, 0),
    CALL("join-any", NULL, NULL, act_join_any, 2, LF_SLOW_OVERWRITE, 3, 0, 0, 0),
    CALL("leave", arm_reader, NULL, act_leave, LF_OK, LF_SLOW_WAIT, 2, 1, 0, 1),
    CALL("release-role", arm_writer, NULL, act_release_role, LF_OK, LF_SLOW_WAIT, 2, 1, 1, 0),
    {"shutdown", 1u << KILL_GO_ON, arrange, NULL, NULL, act_shutdown, LF_OK, NULL, judge_shutdown,
     WITH(LF_SLOW_WAIT, 2, 1, 0, 0), NULL, 0},
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside, judge,
     WITH(LF_SLOW_WAIT, 2, 1, 1, 0), NULL, 0},
    CALL("detach", arm_reader, NULL, act_detach, LF_OK, LF_SLOW_WAIT, 2, 1, 0, 1),
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside, judge,
     WITH(LF_SLOW_WAIT, 2, 1, 0, 0), NULL, 1},
};

const struct kill_subject kill_subject = {"broadcast_ring",
                                          operations,
                                          (int)(sizeof operations / sizeof operations[0]),
                                          &object.h,
                                          &lf_broadcast_ring_kind,
                                          NULL,
                                          NULL,
                                          NULL};
