/* futex.c: sleeping in the model. The queue of a futex is an imaginary atomic object, a set of sleeping
 * threads. The kernel compares and queues under a lock; here the sleeper enters the queue, and then must
 * still see the expected value behind a seq_cst fence, as the waker takes from the queue behind one. An
 * execution in which the sleeper sees another value after it queued is one that the kernel's lock
 * excludes, and is dropped. */
#include "objects.h"

#include <errno.h>
#include <string.h>

static u128 enter_queue(u128 sleepers, u128 me) { return sleepers | me; }

/* Where sleepers are moved between futexes, all queues are one object, so that a move is one step: four bits for each
 * thread, the number of the futex that it sleeps on. */
enum { MAX_FUTEXES = 15 };
MODEL_STATE static const uint32_t *futexes[MAX_FUTEXES + 1];

static unsigned number_of(const uint32_t *word, uint64_t pc) {
    for (unsigned i = 1; i <= MAX_FUTEXES; i++) {
        if (futexes[i] == NULL)
            futexes[i] = word;
        if (futexes[i] == word)
            return i;
    }
    fail("unusable client", "it has more than %d futexes and moves sleepers between them @%lx@", MAX_FUTEXES,
         (unsigned long)pc);
    return 0;
}

struct move { /* packed into an operand */
    uint8_t from, to, wake, move, first, threads;
};

static u128 packed(struct move move) {
    u128 operand = 0;
    memcpy(&operand, &move, sizeof move);
    return operand;
}

static unsigned sleeps_on(u128 queue, int tid) { return (unsigned)(queue >> 4 * tid) & 15; }

static u128 enter_one_queue(u128 queue, u128 operand) { /* the futex's number | thread << 8 */
    return queue | (operand & 15) << 4 * (int)(operand >> 8);
}

static u128 move_sleepers(u128 queue, u128 operand) {
    struct move m;
    memcpy(&m, &operand, sizeof m);
    for (int i = 0, done = 0; i < m.threads && done < m.wake + m.move; i++) {
        int tid = 1 + (m.first + i) % m.threads;
        if (sleeps_on(queue, tid) != m.from)
            continue;
        queue &= ~((u128)15 << 4 * tid);
        if (done++ >= m.wake)
            queue |= (u128)m.to << 4 * tid;
    }
    return queue;
}

/* Returns how many were woken, *moved how many were moved. */
static int apply_move(struct move move, const char *doing, int *moved, uint64_t pc) {
    u128 before, after;
    LABELLED(doing, before = model_rmw(ONE_QUEUE, 16, move_sleepers, packed(move), RELAXED, pc));
    after = move_sleepers(before, packed(move));
    int woken = 0;
    *moved = 0;
    for (int t = 1; t < MAX_THREADS; t++) {
        woken += sleeps_on(before, t) != 0 && sleeps_on(after, t) == 0;
        *moved += sleeps_on(after, t) != sleeps_on(before, t) && sleeps_on(after, t) != 0;
    }
    return woken;
}

/* Which of the others comes first is the checker's choice. */
u128 wake_request(int n, uint64_t pc) {
    int others = R.most_threads - 1, self = R.current->tid - 1;
    int first = n < others ? self + 1 + model_choose(others, pc) : 0;
    int limit = n < 0 ? 0 : n < MAX_THREADS ? n : MAX_THREADS;
    return (u128)(limit << 8 | first % R.most_threads);
}

/* request: how many to wake << 8 | which thread comes first */
u128 leave_queue(u128 sleepers, u128 request) {
    int limit = (int)(request >> 8), first = (int)(request & 0xFF), woken = 0;
    for (int i = 0; i < R.most_threads && woken < limit; i++) {
        u128 bit = (u128)1 << (1 + (first + i) % R.most_threads);
        woken += (sleepers & bit) != 0;
        sleepers &= ~bit;
    }
    return sleepers;
}

int lf_model_futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    return futex_wait(word, expected, timeout_ns, PC);
}

int futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns, uint64_t pc) {
    if (!R.running)
        return -EAGAIN; /* setup and final run alone: nobody would wake them */
    struct thread *t = R.current;
    turns_forget(t);
    uintptr_t address = (uintptr_t)word;
    if (timeout_ns != 0 && t->timeouts < R.client->timeouts && model_choose(2, pc) == 1) {
        t->timeouts++;
        t->clock_ns += timeout_ns;
        return -ETIMEDOUT;
    }
    if (t->spurious < R.client->spurious && model_choose(2, pc) == 1) {
        t->spurious++;
        return 0;
    }
    if ((uint32_t)model_load(address, 4, RELAXED, pc) != expected)
        return -EAGAIN;
    u128 bit = (u128)1 << t->tid;
    if (R.one_futex_queue)
        LABELLED("futex_wait",
                 model_rmw(ONE_QUEUE, 16, enter_one_queue, number_of(word, pc) | t->tid << 8, RELAXED, pc));
    else
        model_rmw(queue_of(word), 8, enter_queue, bit, RELAXED, pc);
    t->behind_scenes = true;
    model_fence(SEQ_CST, pc);
    bool unchanged = (uint32_t)model_load(address, 4, RELAXED, pc) == expected;
    t->behind_scenes = false;
    lf_model_assume(unchanged);
    t->asleep = true;
    t->could_time_out = could_time_out(t, timeout_ns != 0);
    for (;;) {
        u128 sleepers;
        if (R.one_futex_queue)
            LABELLED("sleeps", sleepers = sleeps_on(model_load(ONE_QUEUE, 16, RELAXED, pc), t->tid) != 0 ? bit : 0);
        else
            sleepers = model_load(queue_of(word), 8, RELAXED, pc);
        t->asleep = (sleepers & bit) != 0;
        if (!t->asleep)
            break;
        wait_for_news(t);
    }
    goes_on(t);
    return 0;
}

int lf_model_futex_wake(uint32_t *word, int n) { return futex_wake(word, n, PC); }

int futex_wake(uint32_t *word, int n, uint64_t pc) {
    if (!R.running)
        return 0;
    u128 request = wake_request(n, pc);
    R.current->behind_scenes = true;
    model_fence(SEQ_CST, pc);
    R.current->behind_scenes = false;
    if (R.one_futex_queue) {
        struct move wake = {(uint8_t)number_of(word, pc), 0, (uint8_t)(request >> 8), 0, (uint8_t)request,
                            (uint8_t)R.most_threads};
        int moved;
        return apply_move(wake, "futex_wake", &moved, pc);
    }
    u128 before = model_rmw(queue_of(word), 8, leave_queue, request, RELAXED, pc);
    u128 after = leave_queue(before, request);
    return __builtin_popcountll((uint64_t)before) - __builtin_popcountll((uint64_t)after);
}

/* Wakes at most `wake` sleepers, and lets `move` others sleep on `to`. expected: not if the word differs. */
int futex_requeue(uint32_t *word, int wake, int move, uint32_t *to, const uint32_t *expected, uint64_t pc) {
    if (!R.running)
        return 0;
    if (!R.one_futex_queue) {
        R.one_futex_queue = true;
        leave_run(RUN_AGAIN);
    }
    wake = wake < 0 ? 0 : wake > MAX_THREADS ? MAX_THREADS : wake;
    move = move < 0 ? 0 : move > MAX_THREADS ? MAX_THREADS : move;
    u128 request = wake_request(wake + move, pc);
    R.current->behind_scenes = true;
    model_fence(SEQ_CST, pc);
    bool same = expected == NULL || (uint32_t)model_load(AT(word), 4, RELAXED, pc) == *expected;
    R.current->behind_scenes = false;
    if (!same)
        return -EAGAIN;
    struct move all = {
        (uint8_t)number_of(word, pc), (uint8_t)number_of(to, pc), (uint8_t)wake, (uint8_t)move, (uint8_t)request,
        (uint8_t)R.most_threads};
    int moved, woken = apply_move(all, "futex_requeue", &moved, pc);
    return woken + (expected != NULL ? moved : 0);
}

uint64_t lf_model_now(void) { return R.current != NULL ? R.current->clock_ns : 0; }
