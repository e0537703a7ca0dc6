/* shadow.c: data races on plain accesses, by happens-before.
 *
 * Each 8 bytes remember who read and wrote them last, with the number of events that thread had made: an
 * access is ordered after that one if its clock counts more of that thread's events. What was done to a
 * place on a stack before the function that has it there was called was done to another variable. */
#include "memory.h"

#include <stdlib.h>

enum { TABLE = 1 << 17, MAX_RECORDS = 16 + 2 * MAX_THREADS };

struct record {
    uint64_t pc;
    uint32_t access; /* number among all plain accesses */
    int32_t epoch;
    uint8_t tid, mask;
    bool write;
};

struct word {
    uintptr_t key;
    uint32_t generation;
    int records;
    struct record record[MAX_RECORDS];
};

MODEL_STATE static struct word *table;
MODEL_STATE static uint32_t generation;
MODEL_STATE static int words;

void shadow_start(void) { table = calloc(TABLE, sizeof *table); }

void shadow_reset(void) {
    generation++;
    words = 0;
}

static struct word *word_at(uintptr_t key, bool create) {
    unsigned slot = (unsigned)((key >> 3) * 0x9E3779B97F4A7C15u >> 40) & (TABLE - 1);
    for (;; slot = (slot + 1) & (TABLE - 1)) {
        struct word *word = &table[slot];
        if (word->generation != generation) {
            if (!create)
                return NULL;
            if (++words > TABLE / 2)
                too_large(TABLE / 2, "words of 8 bytes that plain accesses touch");
            word->key = key;
            word->generation = generation;
            word->records = 0;
            return word;
        }
        if (word->key == key)
            return word;
    }
}

/* The function whose variable is there; NULL: not on a stack. */
static const struct frame *frame_of(uintptr_t address) {
    const struct thread *owner = stack_owner(address);
    if (owner == NULL || owner->depth == 0)
        return NULL;
    int at = (owner->depth < MAX_DEPTH ? owner->depth : MAX_DEPTH) - 1;
    while (at > 0 && address >= owner->frame[at - 1].bottom)
        at--;
    return &owner->frame[at];
}

/* Against the plain accesses that `word` remembers. */
static bool ordered_after(const struct word *word, uint8_t mask, bool write, bool plain, uint64_t pc) {
    const struct thread *t = R.current;
    const struct frame *frame = frame_of(word->key);
    for (int i = 0; i < word->records; i++) {
        const struct record *r = &word->record[i];
        if ((r->mask & mask) == 0 || r->tid == t->tid || !(write || r->write) || t->hb.of[r->tid] > r->epoch ||
            (frame != NULL && r->access <= frame->access))
            continue;
        race(plain ? "plain" : "atomic", write, word->key + (unsigned)__builtin_ctz(mask), pc, r->tid,
             r->write ? "plain write" : "plain read", r->pc);
        return false;
    }
    return true;
}

static void remember(struct word *word, uint8_t mask, bool write, uint64_t pc) {
    const struct thread *t = R.current;
    int kept = 0;
    bool on_stack = stack_owner(word->key) != NULL;
    for (int i = 0; i < word->records; i++) {
        struct record *r = &word->record[i];
        if (write || (r->tid == t->tid && !r->write)) /* ordered before this one, which stands for it */
            r->mask &= (uint8_t)~mask;
        if (r->mask != 0)
            word->record[kept++] = *r;
    }
    word->records = kept;
    for (int i = 0; i < kept && !on_stack; i++) {
        struct record *r = &word->record[i];
        if (r->tid == t->tid && r->epoch == t->events && r->write == write) { /* byte after byte */
            r->mask |= mask;
            return;
        }
    }
    if (kept == MAX_RECORDS)
        too_large(MAX_RECORDS, "plain accesses of several threads to one word that none of them orders");
    word->record[word->records++] = (struct record){pc, R.accesses, t->events, t->tid, mask, write};
}

/* Against the atomic accesses to the same bytes. A plain write starts the object again. */
static bool ordered_after_atomics(uintptr_t address, size_t size, bool write, uint64_t pc) {
    struct thread *t = R.current;
    const struct frame *frame = frame_of(address);
    int since = frame != NULL ? frame->events : 0;
    for (struct loc *loc = NULL; (loc = locations_overlapping(address, size, loc)) != NULL;) {
        for (int i = 0; i < loc->stores; i++) {
            const struct event *w = &R.event[loc->store[i]];
            if (!clk_has(&t->hb, w) && w->kind != EV_INIT && loc->store[i] >= since) {
                race("plain", write, address, pc, w->tid, "atomic write", w->pc);
                return false;
            }
            for (int r = w->first_reader; write && r != NO_EVENT; r = R.event[r].next_reader)
                if (!clk_has(&t->hb, &R.event[r]) && r >= since) {
                    race("plain", write, address, pc, R.event[r].tid, "atomic read", R.event[r].pc);
                    return false;
                }
        }
        if (write) {
            loc->plain_pending = true;
            loc->plain_tid = t->tid;
            loc->plain_epoch = t->events;
        }
    }
    return true;
}

void plain_access(uintptr_t address, size_t size, bool write, uint64_t pc) {
    if (size == 0 || R.current == NULL) /* NULL: a specification, between executions */
        return;
    if (stack_owner(address) != R.current) {
        R.current->looks++;
        if (R.current->joins_twins)
            symmetry_does_something_else(R.current);
    }
    heap_check(address, size, write, pc);
    if (!R.running || !ordered_after_atomics(address, size, write, pc))
        return;
    if (write)
        turns_note_write(R.current, address, size);
    else
        turns_note_look(R.current, address);
    R.accesses++;
    for (uintptr_t at = address & ~(uintptr_t)7; at < address + size; at += 8) {
        unsigned first = at < address ? (unsigned)(address - at) : 0;
        unsigned last = at + 8 > address + size ? (unsigned)(address + size - at) : 8;
        uint8_t mask = (uint8_t)((0xFF << first) & (0xFF >> (8 - last)));
        struct word *word = word_at(at, true);
        if (!ordered_after(word, mask, write, true, pc))
            return;
        remember(word, mask, write, pc);
    }
}

void atomic_access(uintptr_t address, unsigned size, bool write, uint64_t pc) {
    heap_check(address, size, write, pc);
    for (uintptr_t at = address & ~(uintptr_t)7; at < address + size; at += 8) {
        struct word *word = word_at(at, false);
        unsigned first = at < address ? (unsigned)(address - at) : 0;
        unsigned last = at + 8 > address + size ? (unsigned)(address + size - at) : 8;
        uint8_t mask = (uint8_t)((0xFF << first) & (0xFF >> (8 - last)));
        if (word != NULL && !ordered_after(word, mask, write, false, pc))
            return;
    }
}

static void still_used(const char *what, uintptr_t address, int tid, uint64_t other_pc, uint64_t pc) {
    fail("use after return",
         "%s at %p by T%d @%lx@ is not ordered before the end @%lx@ of the function of T%d that has it", what,
         (void *)address, tid, (unsigned long)other_pc, (unsigned long)pc, R.current->tid);
}

/* The memory from `low` to `high` ceases to be: has everybody else done with it? */
void end_of_memory(uintptr_t low, uintptr_t high, uint64_t pc) {
    const struct thread *t = R.current;
    const struct frame *frame = frame_of(low);
    for (uintptr_t at = low & ~(uintptr_t)7; at < high; at += 8) {
        const struct word *word = word_at(at, false);
        for (int i = 0; word != NULL && i < word->records; i++) {
            const struct record *r = &word->record[i];
            if (r->tid != t->tid && t->hb.of[r->tid] <= r->epoch && (frame == NULL || r->access > frame->access)) {
                still_used(r->write ? "write" : "read", at, r->tid, r->pc, pc);
                return;
            }
        }
    }
    for (struct loc *loc = NULL; (loc = locations_overlapping(low, high - low, loc)) != NULL;)
        for (int i = 0; i < loc->stores; i++) {
            const struct event *w = &R.event[loc->store[i]];
            if (w->kind != EV_INIT && !clk_has(&t->hb, w)) {
                still_used("atomic write", loc->address, w->tid, w->pc, pc);
                return;
            }
            for (int r = w->first_reader; r != NO_EVENT; r = R.event[r].next_reader)
                if (!clk_has(&t->hb, &R.event[r])) {
                    still_used("atomic read", loc->address, R.event[r].tid, R.event[r].pc, pc);
                    return;
                }
        }
}
