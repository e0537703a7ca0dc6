/* calls.h: what the files of the primitives without records share: calls that a survivor makes, and the operations of
 * every segment. The file that includes this has defined `object`, the primitive's own struct. */
#ifndef LOCKFREE_KILL_CALLS_H
#define LOCKFREE_KILL_CALLS_H

LF_INLINE uint64_t until(uint64_t span) { return span == 0 ? 0 : span == LF_FOREVER ? LF_FOREVER : lf_now() + span; }

LF_INLINE int64_t ask(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t deadline) {
    struct kill_message m = {.call = call, .deadline = deadline};
    return kill_ask(s, &m);
}
/* `what`: the answer that the contract asks for, in words. */
LF_INLINE void expect(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t deadline,
                      int64_t expected, const char *what) {
    int64_t answer = ask(s, call, deadline);
    if (answer != expected)
        kill_breach(what, "%s got %lld instead of %lld", s->name, (long long)answer, (long long)expected);
}

/* B begins a call in which it sleeps. */
static struct kill_message sleeper;
LF_INLINE void send_b_to_sleep_in(int64_t (*call)(struct kill_message *)) {
    struct kill_message m = {.call = call, .deadline = 60000 * KILL_MS};
    sleeper = m;
    kill_begin_ask(&kill_b, &sleeper);
    kill_wait_asleep(&kill_b);
}
LF_INLINE void expect_of_sleeper(int64_t expected, const char *what) {
    int64_t answer = kill_end_ask(&kill_b, &sleeper);
    if (answer != expected)
        kill_breach(what, "the sleeper got %lld instead of %lld", (long long)answer, (long long)expected);
}

static int inherited;
LF_INLINE void arm_attach(void) { inherited = dup(object.h.fd); }
LF_INLINE int64_t act_reap(void) { return lf_reap(&object.h); }
LF_INLINE int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
LF_INLINE int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }

#endif
