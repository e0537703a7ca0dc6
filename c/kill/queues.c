/* queues.c: see queues.h. */
#include "queues.h"

#define WORLDS 256

static struct kill_world worlds[WORLDS];
static uint32_t n_worlds, next_id;

static const struct kill_queue *queue(void) { return kill_now.subject->queue; }

uint64_t kill_write_record(unsigned char *record, uint32_t id, uint32_t level) {
    uint64_t length = 8 + id % 29;
    memcpy(record, &id, 4);
    memcpy(record + 4, &level, 4);
    for (uint64_t i = 8; i < length; i++)
        record[i] = (unsigned char)(id * 31 + i * 7);
    return length;
}

int64_t kill_read_record(const unsigned char *record, int64_t length, uint32_t *level) {
    unsigned char expected[64];
    uint32_t id;
    if (length < 8)
        return length < 0 ? length : KILL_GARBAGE;
    memcpy(&id, record, 4);
    memcpy(level, record + 4, 4);
    if ((uint64_t)length != kill_write_record(expected, id, *level) || memcmp(record, expected, (size_t)length) != 0)
        return KILL_GARBAGE;
    return id;
}

/* ---- the states ---- */

static struct kill_item drop(struct kill_item *items, uint32_t *count, uint32_t i) {
    struct kill_item item = items[i];
    memmove(&items[i], &items[i + 1], (--*count - i) * sizeof item);
    memset(&items[*count], 0, sizeof item); /* states are compared as bytes */
    return item;
}

uint32_t kill_level_of(uint32_t id) { return (id * 2 + 1) % queue()->levels; }

void kill_world_put(struct kill_world *w, uint32_t id, uint32_t level) {
    struct kill_item item = {id, level};
    if (w->count == KILL_ITEMS)
        kill_breach("a queue that holds no more than its capacity", "%u records inside", w->count);
    w->items[w->count++] = item;
}

static uint32_t first_of(const struct kill_world *w) {
    uint32_t first = 0;
    for (uint32_t i = 1; i < w->count; i++)
        if (w->items[i].level < w->items[first].level)
            first = i;
    return first;
}

struct kill_item kill_world_take(struct kill_world *w) {
    struct kill_item nothing = {0, 0};
    if (w->count == 0)
        return nothing;
    return drop(w->items, &w->count, first_of(w));
}

struct kill_world kill_world_of(uint32_t inside) {
    struct kill_world w;
    memset(&w, 0, sizeof w);
    for (uint32_t id = 1; id <= inside; id++)
        kill_world_put(&w, id, kill_level_of(id));
    return w;
}

void kill_world_cut_off(struct kill_world *w, uint32_t id, uint32_t level, uint32_t droppable) {
    struct kill_item item = {id, level};
    w->pending_items[w->pending++] = item;
    w->droppable = droppable;
}

void kill_world_owe(struct kill_world *w, struct kill_item item) { w->owed_items[w->owed++] = item; }

static uint32_t slots_of(const struct kill_world *w) { return w->count + w->hand + w->owed + w->pending; }
static int is_settled(const struct kill_world *w) { return w->hand == 0 && w->owed == 0 && w->pending == 0; }

void kill_forget_worlds(void) {
    n_worlds = 0;
    next_id = 200;
}

void kill_possible(const struct kill_world *w) {
    for (uint32_t i = 0; i < n_worlds; i++)
        if (memcmp(&worlds[i], w, sizeof *w) == 0)
            return;
    if (n_worlds == WORLDS)
        kill_breach("few states", "more than %d", WORLDS);
    worlds[n_worlds++] = *w;
}

static int first_of_its_level(const struct kill_world *w, uint32_t pending) {
    for (uint32_t i = 0; i < pending; i++)
        if (w->pending_items[i].level == w->pending_items[pending].level)
            return 0;
    return 1;
}

/* Adds the states that every state may have changed into by itself. */
static void close_worlds(void) {
    for (uint32_t i = 0; i < n_worlds; i++) {
        struct kill_world w;
        for (uint32_t j = 0; j < worlds[i].pending; j++) {
            if (!first_of_its_level(&worlds[i], j))
                continue;
            w = worlds[i];
            if (j + w.droppable >= w.pending)
                w.droppable--;
            struct kill_item item = drop(w.pending_items, &w.pending, j);
            kill_world_put(&w, item.id, item.level);
            kill_possible(&w);
        }
        if (!kill_now.dead && !kill_now.recovering)
            continue;
        if (worlds[i].droppable) {
            w = worlds[i];
            w.droppable--;
            drop(w.pending_items, &w.pending, w.pending - 1);
            kill_possible(&w);
        }
        if (worlds[i].hand > 0) {
            w = worlds[i];
            w.hand--;
            kill_possible(&w);
        }
        for (uint32_t j = 0; j < worlds[i].owed; j++) {
            w = worlds[i];
            struct kill_item item = drop(w.owed_items, &w.owed, j);
            kill_world_put(&w, item.id, item.level);
            kill_possible(&w);
        }
    }
}

static const char *describe_worlds(void) {
    static char text[1600];
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < n_worlds && at + 200 < sizeof text; i++) {
        const struct kill_world *w = &worlds[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s[", i ? " or " : "");
        for (uint32_t j = 0; j < w->count && at + 60 < sizeof text; j++)
            at += (size_t)snprintf(text + at, sizeof text - at, queue()->levels > 1 ? "%s%u@%u" : "%s%u", j ? " " : "",
                                   w->items[j].id, w->items[j].level);
        at += (size_t)snprintf(text + at, sizeof text - at, "]");
        if (!is_settled(w))
            at += (size_t)snprintf(text + at, sizeof text - at, " and in hand %u, leased %u, unfinished %u", w->hand,
                                   w->owed, w->pending);
    }
    return text;
}

/* ---- answers ---- */

static int agrees_put(struct kill_world *w, const struct kill_message *m) {
    if (m->answer == LF_OK && slots_of(w) < queue()->capacity) {
        kill_world_put(w, (uint32_t)m->id, m->level);
        return 1;
    }
    return m->answer == LF_FULL && slots_of(w) == queue()->capacity && (m->deadline == 0 || is_settled(w));
}

static int agrees_get(struct kill_world *w, const struct kill_message *m) {
    if (m->answer >= 0 && w->count > 0) {
        struct kill_item item = kill_world_take(w);
        return item.id == (uint32_t)m->answer && item.level == m->level;
    }
    return m->answer == LF_EMPTY && w->count == 0 && (m->deadline == 0 || is_settled(w));
}

static void agree(int (*agrees)(struct kill_world *, const struct kill_message *), const struct kill_message *m,
                  const char *what, const char *who) {
    static char expected[1800];
    static struct kill_world left[WORLDS];
    uint32_t n_left = 0;
    close_worlds();
    for (uint32_t i = 0; i < n_worlds; i++) {
        struct kill_world w = worlds[i];
        if (agrees(&w, m))
            left[n_left++] = w;
    }
    if (n_left == 0) {
        snprintf(expected, sizeof expected, "an answer that fits %s with room for %u", describe_worlds(),
                 queue()->capacity);
        if (m->answer == KILL_GARBAGE)
            kill_breach(expected, "%s by %s gave a record that nobody wrote", what, who);
        else if (m->answer >= 0)
            kill_breach(expected, "%s by %s gave %lld", what, who, (long long)m->answer);
        else
            kill_breach(expected, "%s by %s was answered %s", what, who,
                        m->answer == LF_FULL    ? "FULL"
                        : m->answer == LF_EMPTY ? "EMPTY"
                                                : "with an error");
    }
    n_worlds = 0;
    for (uint32_t i = 0; i < n_left; i++)
        kill_possible(&left[i]);
}

void kill_agree_put(const struct kill_survivor *s, const struct kill_message *m) {
    agree(agrees_put, m, "a put", s->name);
}
void kill_agree_get(const struct kill_survivor *s, const struct kill_message *m) {
    agree(agrees_get, m, "a get", s->name);
}

struct kill_message kill_next_put(uint64_t deadline) {
    struct kill_message m = {.call = queue()->put, .deadline = deadline, .id = next_id};
    m.level = kill_level_of(next_id++);
    return m;
}

int64_t kill_put(struct kill_survivor *s, uint64_t deadline) {
    struct kill_message m = kill_next_put(deadline);
    kill_ask(s, &m);
    kill_agree_put(s, &m);
    return m.answer;
}

int64_t kill_get(struct kill_survivor *s, uint64_t deadline) {
    struct kill_message m = {.call = queue()->get, .deadline = deadline};
    kill_ask(s, &m);
    kill_agree_get(s, &m);
    return m.answer;
}

/* ---- what the survivors do ---- */

static struct kill_survivor *putter(uint64_t n) { return queue()->who ? queue()->who(1, n) : kill_turn(n); }
static struct kill_survivor *getter(uint64_t n) { return queue()->who ? queue()->who(0, n) : kill_turn(n); }

void kill_put_inside(uint32_t inside) {
    for (uint32_t id = 1; id <= inside; id++) {
        struct kill_message m = {.call = queue()->put, .id = id, .level = kill_level_of(id)};
        if (kill_ask(putter(0), &m) != LF_OK)
            kill_breach("room before the victim comes", "a put of %u was answered %lld", id, (long long)m.answer);
    }
}

static void fill_and_drain_without_waiting(void) {
    uint64_t n = 0;
    while (kill_put(putter(n), 0) == LF_OK)
        n++;
    kill_put(putter(n + 1), 0); /* FULL for one is FULL for the other */
    for (n = 0; kill_get(getter(n), 0) >= 0;)
        n++;
    kill_get(getter(n + 1), 0);
}

void kill_queue_beside(void) {
    for (uint64_t n = 0; n < 4; n++) {
        kill_put(putter(n), 0);
        kill_get(getter(n + 1), 0);
    }
    for (int round = 0; round < 5; round++) /* so that every cell of the queues is used once more */
        fill_and_drain_without_waiting();
}

/* The least and the most records that can be inside, in any state, after everything of the dead has come back. */
static void bounds(uint32_t *least, uint32_t *most) {
    *least = UINT32_MAX, *most = 0;
    close_worlds();
    for (uint32_t i = 0; i < n_worlds; i++) {
        if (!is_settled(&worlds[i]))
            continue;
        *least = worlds[i].count < *least ? worlds[i].count : *least;
        *most = worlds[i].count > *most ? worlds[i].count : *most;
    }
}

int kill_certain(int putting) {
    uint32_t least, most;
    bounds(&least, &most);
    return putting ? most < queue()->capacity : least > 0;
}

static void fill_waiting(void) {
    uint32_t least, most;
    uint64_t n = 0;
    for (bounds(&least, &most); most < queue()->capacity; bounds(&least, &most))
        kill_put(putter(n++), KILL_AT_LAST);
}
static void drain_waiting(void) {
    uint32_t least, most;
    uint64_t n = 0;
    for (bounds(&least, &most); least > 0; bounds(&least, &most))
        kill_get(getter(n++), KILL_AT_LAST);
    while (kill_get(getter(n), 0) >= 0) /* takes out what may or may not have arrived */
        n++;
}

/* A call that would have to wait first recovers everything that the dead held. */
static void settle(void) {
    int settled = 1;
    for (uint32_t i = 0; i < n_worlds; i++)
        settled &= is_settled(&worlds[i]);
    if (settled)
        return;
    kill_next_tick();
    while (kill_get(getter(0), KILL_MS) >= 0)
        ;
}

static void size_is(struct kill_survivor *s, uint32_t expected) {
    struct kill_message m = {.call = queue()->size};
    if (kill_ask(s, &m) != expected)
        kill_breach("the true size, since nobody runs", "%lld of %u for %s", (long long)m.answer, expected, s->name);
}

/* Everything must be as if nobody had died: full capacity, exact order, exact EMPTY and FULL, for everybody. */
static void full_cycles(int cycles) {
    for (int cycle = 0; cycle < cycles; cycle++) {
        if (queue()->between != NULL)
            queue()->between();
        for (uint32_t n = 0; n < queue()->capacity; n++)
            kill_put(putter(n), KILL_AT_LAST);
        kill_put(putter(0), 0);
        if (cycle < 2)
            size_is(kill_turn((uint64_t)cycle), queue()->capacity);
        for (uint32_t n = 0; n < queue()->capacity; n++)
            kill_get(getter(n), KILL_AT_LAST);
        kill_get(getter(0), 0);
        if (cycle < 2)
            size_is(kill_turn((uint64_t)cycle + 1), 0);
    }
}

void kill_queue_judge(void) {
    int waits = kill_now.mode == KILL_WAIT || (kill_now.mode == KILL_STOPPED && (kill_now.seed & 6) == 0);
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    if (kill_now.mode == KILL_STOPPED && waits)
        kill_next_tick();
    if (!waits) {
        kill_put(putter(0), 0);
        uint64_t n = 1; /* one, or all: a second put would overwrite what the dead left behind a gap */
        while (kill_get(getter(n), 0) >= 0 && (kill_now.seed & 1) == 0)
            n++;
        fill_and_drain_without_waiting();
    } else if (kill_now.seed & 1) {
        fill_waiting();
        drain_waiting();
    } else {
        drain_waiting();
        fill_waiting();
        drain_waiting();
    }
    kill_newcomer();
    drain_waiting();
    settle();
    full_cycles(18 / (int)queue()->capacity + 2); /* so that every cell of the queues is used once more */
}
