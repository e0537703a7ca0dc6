/* barrier.c: barriers.
 *
 * Who comes first to a barrier changes nothing, so its arrivals are no stores to one place that the search would have
 * to order in every way. Where a barrier has as many threads as it awaits, each thread's nth call belongs to the nth
 * meeting: it is a step of its own, behind which the thread is stopped until the others have made theirs, and one
 * more, which comes after all of them. Who of them is told that it is the serial one is a choice, made only where the
 * caller looks at the answer.
 *
 * If more threads use a barrier than it awaits, who meets whom depends on the order. Then the search starts over, and
 * the barrier is an atomic counter (blocking.h). */
#define _GNU_SOURCE
#include "blocking.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { MAX_BARRIERS = 256, COUNT_AT = 4, LIVE_AT = 8 };
#define LIVE 0x6C6976656261721Fu

struct barrier {
    uintptr_t at;
    int awaited, participants;
    int arrivals[MAX_THREADS];
    struct { /* of the even and of the odd meetings: nobody is more than one ahead */
        clk hb, porf;
        int asked, serial;
    } meeting[2];
};

MODEL_STATE static struct barrier barriers[MAX_BARRIERS];
MODEL_STATE static int barrier_count;
MODEL_STATE static uintptr_t crowded[MAX_BARRIERS];
MODEL_STATE static int crowded_count;

void barriers_reset(void) { barrier_count = 0; }

static struct barrier *barrier_at(uintptr_t at, int awaited) {
    for (int i = 0; i < barrier_count; i++)
        if (barriers[i].at == at)
            return &barriers[i];
    if (barrier_count == MAX_BARRIERS)
        too_large(MAX_BARRIERS, "barriers");
    struct barrier *barrier = &barriers[barrier_count++];
    memset(barrier, 0, sizeof *barrier);
    barrier->at = at;
    barrier->awaited = awaited;
    return barrier;
}

static bool is_crowded(uintptr_t at) {
    for (int i = 0; i < crowded_count; i++)
        if (crowded[i] == at)
            return true;
    return false;
}

static int have_come(const struct barrier *barrier, int meeting) {
    int come = 0;
    for (int t = 0; t < MAX_THREADS; t++)
        come += barrier->arrivals[t] >= meeting;
    return come;
}
static bool all_have_come(const struct barrier *barrier, int meeting) {
    return have_come(barrier, meeting) == barrier->awaited;
}

bool barrier_is_open(const struct thread *t) { return all_have_come(t->barrier, t->barrier->arrivals[t->tid]); }

#if defined(__x86_64__)
enum answer { USED, UNUSED, NOT_YET };

/* One instruction that may be all registers and memory: does it read rax, write it, or neither? *at moves behind it. */
static enum answer look_at(const uint8_t **at) {
    const uint8_t *p = *at;
    unsigned rex = (*p & 0xF0) == 0x40 ? *p++ : 0, opcode = *p++, modrm = *p++, mod = modrm >> 6;
    bool group = opcode == 0x83 || opcode == 0x81 || opcode == 0xC7;
    bool loads = opcode == 0x8B || opcode == 0x8D || opcode == 0x63;
    bool known = group || loads || opcode == 0x89 || opcode == 0x39 || opcode == 0x3B || opcode == 0x01 ||
                 opcode == 0x03 || opcode == 0x29 || opcode == 0x2B || opcode == 0x31 || opcode == 0x33 ||
                 opcode == 0x85;
    if (!known)
        return USED;
    bool rm_is_rax = (modrm & 7) == 0 && (rex & 1) == 0, reg_is_rax = (modrm >> 3 & 7) == 0 && (rex & 4) == 0;
    if (mod != 3 && (modrm & 7) == 4) {
        unsigned sib = *p++;
        rm_is_rax = ((sib & 7) == 0 && (rex & 1) == 0) || ((sib >> 3 & 7) == 0 && (rex & 2) == 0);
        p += mod == 0 && (sib & 7) == 5 ? 4 : 0;
    }
    p += mod == 1 ? 1 : mod == 2 || (mod == 0 && (modrm & 7) == 5) ? 4 : 0;
    p += opcode == 0x83 ? 1 : opcode == 0x81 || opcode == 0xC7 ? 4 : 0;
    *at = p;
    if ((opcode == 0x31 || opcode == 0x33) && modrm == 0xC0 && (rex & 5) == 0) /* xor eax, eax */
        return UNUSED;
    if (rm_is_rax)
        return opcode == 0xC7 && mod == 3 ? UNUSED : USED;
    if (reg_is_rax && !group)
        return loads ? UNUSED : USED;
    return NOT_YET;
}

static bool is_used(const uint8_t *at, int jumps) {
    for (int i = 0; i < 16; i++) {
        if (at[0] == 0xE8 || at[0] == 0xB8) /* call; eax = a number */
            return false;
        int32_t far;
        memcpy(&far, at + (at[0] == 0x0F ? 2 : 1), sizeof far);
        if (at[0] > 0xB8 && at[0] <= 0xBF) { /* another register = a number */
            at += 5;
        } else if (at[0] == 0x41 && at[1] >= 0xB8 && at[1] <= 0xBF) {
            at += 6;
        } else if (at[0] == 0xEB) {
            at += 2 + (int8_t)at[1];
        } else if (at[0] == 0xE9) {
            at += 5 + far;
        } else if (at[0] >= 0x70 && at[0] <= 0x7F) {
            if (jumps == 0 || is_used(at + 2 + (int8_t)at[1], jumps - 1))
                return true;
            at += 2;
        } else if (at[0] == 0x0F && at[1] >= 0x80 && at[1] <= 0x8F) {
            if (jumps == 0 || is_used(at + 6 + far, jumps - 1))
                return true;
            at += 6;
        } else {
            enum answer answer = look_at(&at);
            if (answer != NOT_YET)
                return answer == USED;
        }
    }
    return true;
}
#endif

/* Does the caller look at what the call returns? False only if the next instructions make that certain. */
static bool answer_is_used(uint64_t pc) {
#if defined(__x86_64__)
    return is_used((const uint8_t *)(uintptr_t)pc, 3);
#else
    (void)pc;
    return true;
#endif
}

static int serial_or_not(struct barrier *barrier, int meeting, uint64_t pc) {
    int *asked = &barrier->meeting[meeting & 1].asked, *serial = &barrier->meeting[meeting & 1].serial;
    bool chosen = model_choose(2, pc) == 1;
    lf_model_assume(!(chosen && *serial > 0));
    *serial += chosen;
    ++*asked;
    lf_model_assume(*serial > 0 || *asked < barrier->awaited);
    return chosen ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

static int meet(struct barrier *barrier, uint64_t pc) {
    struct thread *t = R.current;
    if (barrier->arrivals[t->tid] == 0 && barrier->participants++ == barrier->awaited) {
        if (crowded_count == MAX_BARRIERS)
            too_large(MAX_BARRIERS, "barriers with more threads than they await");
        crowded[crowded_count++] = barrier->at;
        leave_run(RUN_AGAIN);
    }
    turns_forget(t);
    LABELLED("arrives at the barrier", model_mark(pc));
    int meeting = ++barrier->arrivals[t->tid];
    if (have_come(barrier, meeting) == 1)
        barrier->meeting[meeting & 1].asked = barrier->meeting[meeting & 1].serial = 0;
    clk_join(&barrier->meeting[meeting & 1].hb, &t->hb);
    clk_join(&barrier->meeting[meeting & 1].porf, &t->porf);
    if (!all_have_come(barrier, meeting)) {
        t->waits_to = "go past the barrier";
        t->waits_at = barrier->at;
        t->barrier = barrier;
        t->blocked = true;
        go_on();
        t->blocked = false;
        t->barrier = NULL;
        t->waits_to = NULL;
    }
    clk_join(&t->hb, &barrier->meeting[meeting & 1].hb);
    clk_join(&t->porf, &barrier->meeting[meeting & 1].porf);
    LABELLED("goes past the barrier", model_mark(pc));
    return answer_is_used(pc) ? serial_or_not(barrier, meeting, pc) : 0;
}

/* Where more threads come than are awaited. */
static u128 arrive(u128 old, u128 awaited) {
    return (old & READERS) + 1 == awaited ? (old / WRITER + 1) * WRITER : old + 1;
}

static int meet_in_some_order(uintptr_t at, u128 awaited, uint64_t pc) {
    struct thread *t = R.current;
    u128 old;
    LABELLED("arrive at", old = model_rmw(at, 4, arrive, awaited, ACQ_REL, pc));
    if ((old & READERS) + 1 == awaited)
        return PTHREAD_BARRIER_SERIAL_THREAD;
    for (;;) {
        u128 seen;
        LABELLED("wait at", seen = model_load(at, 4, ACQUIRE, pc));
        if (seen / WRITER != old / WRITER)
            break;
        wait_for_change(t, "go past the barrier", at);
    }
    goes_on(t);
    return 0;
}

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count) {
    (void)attributes;
    if (count == 0 || count > READERS)
        return EINVAL;
    if ((uint64_t)memory_get(AT(barrier) + LIVE_AT, 8) == LIVE)
        fail("misused lock", "T%d makes the barrier %p anew, which is in use @%lx@", current_thread(), (void *)barrier,
             (unsigned long)PC);
    make_anew(barrier, sizeof *barrier, PC);
    memory_put(AT(barrier) + COUNT_AT, 4, count);
    memory_put(AT(barrier) + LIVE_AT, 8, LIVE);
    for (int i = 0; i < barrier_count; i++)
        if (barriers[i].at == AT(barrier))
            barriers[i].at = 0;
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier) {
    for (int i = 0; i < barrier_count; i++)
        for (int t = 1; t <= R.threads && barriers[i].at == AT(barrier); t++)
            if (R.thread[t].barrier == &barriers[i] && !barrier_is_open(&R.thread[t]))
                fail("misused lock", "T%d destroys the barrier %p while T%d waits at it @%lx@", current_thread(),
                     (void *)barrier, t, (unsigned long)PC);
    end_of_use(barrier, DESTROYED, NULL, PC);
    memory_put(AT(barrier) + LIVE_AT, 8, 0);
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier) {
    uint64_t pc = PC;
    if (!R.running)
        fail("unusable client", "setup and final cannot wait at a barrier @%lx@", (unsigned long)pc);
    u128 state;
    LABELLED("comes to", state = model_load(AT(barrier), 4, RELAXED, pc));
    if (state == DESTROYED)
        used_after_destroy("a barrier", barrier, pc);
    else if ((uint64_t)memory_get(AT(barrier) + LIVE_AT, 8) != LIVE)
        fail("misused lock", "T%d waits at %p, which is no barrier: nobody has made it @%lx@", R.current->tid,
             (void *)barrier, (unsigned long)pc);
    u128 awaited = memory_get(AT(barrier) + COUNT_AT, 4);
    if (is_crowded(AT(barrier)))
        return meet_in_some_order(AT(barrier), awaited, pc);
    return meet(barrier_at(AT(barrier), (int)awaited), pc);
}
