/* worlds.h: the states that an object can be in, for files of primitives that hand things out. It makes calls, and keeps
 * the states that agree with each answer. The file that includes it defines the four functions below,
 * and before that WORLDS, how many states may be possible at a time, and THINGS, what is handed out. */
#ifndef LOCKFREE_KILL_WORLDS_H
#define LOCKFREE_KILL_WORLDS_H

#include "kill.h"

struct world {
    int64_t free;   /* can be taken */
    int64_t out;    /* with the dead or stopped processes */
    int64_t sealed; /* with nobody, until somebody adopts them */
};

static int agrees(struct world *w, const struct kill_message *m); /* could the answer be? Then it changes the world */
static void comes_back(const struct world *w);                    /* possible(...) for what recoveries can make of it */
static int describe(const struct world *w, char *text, size_t room);
static const char *name_of(const struct kill_message *m);

static struct world worlds[WORLDS];
static int n_worlds;

static void possible(int64_t free, int64_t out, int64_t sealed) {
    for (int i = 0; i < n_worlds; i++)
        if (worlds[i].free == free && worlds[i].out == out && worlds[i].sealed == sealed)
            return;
    if (n_worlds == WORLDS)
        kill_breach("few states", "more than %d", WORLDS);
    worlds[n_worlds++] = (struct world){free, out, sealed};
}

static const char *describe_worlds(void) {
    static char text[1024];
    size_t at = 0;
    for (int i = 0; i < n_worlds && at + 80 < sizeof text; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", i ? " or " : "");
        at += (size_t)describe(&worlds[i], text + at, sizeof text - at);
    }
    return text;
}

static void agree(const struct kill_survivor *s, const struct kill_message *m) {
    struct world left[WORLDS];
    int n_left = 0, n = n_worlds;
    for (int i = 0; i < n && (kill_now.dead || kill_now.recovering); i++)
        comes_back(&worlds[i]);
    for (int i = 0; i < n_worlds; i++) {
        struct world w = worlds[i];
        if (agrees(&w, m))
            left[n_left++] = w;
    }
    if (n_left == 0)
        kill_breach(describe_worlds(), "%s(%llu) by %s gave %lld", name_of(m), (unsigned long long)m->amount, s->name,
                    (long long)m->answer);
    n_worlds = 0;
    for (int i = 0; i < n_left; i++)
        possible(left[i].free, left[i].out, left[i].sealed);
}

static int64_t ask(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t n, uint64_t deadline) {
    struct kill_message m = {.call = call, .amount = n, .deadline = deadline};
    kill_ask(s, &m);
    agree(s, &m);
    return m.answer;
}
static void must(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t n, uint64_t deadline,
                 int64_t expected) {
    int64_t answer = ask(s, call, n, deadline);
    if (answer != expected)
        kill_breach(describe_worlds(), "%llu " THINGS ": %s got %lld, not %lld", (unsigned long long)n, s->name,
                    (long long)answer, (long long)expected);
}

/* A and B look, take and give back in turns. Then B takes what is left, one by one: how many. */
static uint64_t take_turns(int64_t (*look)(struct kill_message *), int64_t (*take)(struct kill_message *),
                           int64_t (*give)(struct kill_message *)) {
    for (uint64_t n = 0; n < 4; n++) {
        ask(kill_turn(n), look, 0, 0);
        uint64_t amount = 1 + n % 2;
        if (ask(kill_turn(n), take, amount, 0) == LF_OK)
            ask(kill_turn(n), give, amount, 0);
    }
    uint64_t taken = 0;
    while (ask(&kill_b, take, 1, 0) == LF_OK)
        taken++;
    return taken;
}

#endif
