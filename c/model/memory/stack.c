/* stack.c: which variables on the stacks are alive, and which have been written.
 *
 * A variable dies with the function that has it, or with its thread. A later access is reported. When a function
 * ends, an access to one of its variables that is not ordered before the end is reported, too: in another execution
 * it would have come later. What main of a whole program has lives as long as the program. */
#include "memory.h"

#include <string.h>

enum {
    KNOWN = 1 << 16,
    FRESH = 1024,
    FILL = 0xA5
}; /* bytes at the top of a stack: whose state is known; filled again */
enum { WRITTEN = 1, DEAD }; /* of a byte. What its owner writes again is alive: an array of variable length */

MODEL_STATE static uint8_t state[MAX_THREADS][KNOWN];
MODEL_STATE static struct {
    uintptr_t low, high; /* what others have touched */
} foreign[MAX_THREADS];

static uint8_t *state_of(const struct thread *owner, uintptr_t address, size_t size) {
    uintptr_t known_from = (uintptr_t)stack_top(owner) - KNOWN;
    return address >= known_from && address + size <= known_from + KNOWN ? &state[owner->tid][address - known_from]
                                                                         : NULL;
}

/* Before a thread begins: its stack is as no function has left it. */
void stack_begin(const struct thread *t) {
    foreign[t->tid].low = foreign[t->tid].high = 0;
    memset((char *)(uintptr_t)stack_top(t) - FRESH, FILL, FRESH);
    memset(state[t->tid] + KNOWN - FRESH, 0, FRESH);
}

static bool lives_on(const struct thread *owner) { return owner->tid == 1 && R.whole_program; }

static bool is_dead(const struct thread *owner, uintptr_t address) {
    const uint8_t *s = state_of(owner, address, 1);
    if (lives_on(owner) && owner->finished)
        return s != NULL && *s == DEAD;
    return owner->tid == 0 || owner->finished || address < (uintptr_t)owner->context || (s != NULL && *s == DEAD);
}

/* An access to memory that is on some stack. */
void stack_check(uintptr_t address, size_t size, bool write, uint64_t pc) {
    struct thread *owner = stack_owner(address);
    const char *what = write ? "write" : "read";
    if (owner == NULL)
        return;
    if (R.running && owner != R.current) {
        if (is_dead(owner, address)) {
            fail("use after return", "%s of %zu bytes at %p @%lx@: the function of T%d that had it has ended", what,
                 size, (void *)address, (unsigned long)pc, owner->tid);
            return;
        }
        if (foreign[owner->tid].high == 0 || address < foreign[owner->tid].low)
            foreign[owner->tid].low = address;
        if (address + size > foreign[owner->tid].high)
            foreign[owner->tid].high = address + size;
    }
    uint8_t *s = state_of(owner, address, size);
    if (s == NULL)
        return;
    if (write)
        memset(s, WRITTEN, size);
    else if (!R.copies && !stack_is_written(address, size))
        fail("uninitialised read", "of %zu bytes at %p @%lx@", size, (void *)address, (unsigned long)pc);
}

/* False only if nobody has written any of it; what is not as a fresh stack was
 * written by code that the compiler did not instrument. */
bool stack_is_written(uintptr_t address, size_t size) {
    const struct thread *owner = stack_owner(address);
    const uint8_t *s = owner != NULL ? state_of(owner, address, size) : NULL;
    if (s == NULL || size > 16)
        return true;
    for (size_t i = 0; i < size; i++)
        if (s[i] == WRITTEN || *(const uint8_t *)(address + i) != FILL)
            return true;
    return false;
}

void stack_forget(uintptr_t address) {
    const struct thread *owner = stack_owner(address);
    uint8_t *s = owner != NULL ? state_of(owner, address, 1) : NULL;
    if (s != NULL && *s == WRITTEN)
        *s = 0;
}

/* A function begins: its variables are new. */
void stack_enter(const struct thread *t, const struct frame *frame) {
    uint8_t *s = frame->top > frame->bottom ? state_of(t, frame->bottom, frame->top - frame->bottom) : NULL;
    if (s != NULL)
        memset(s, 0, frame->top - frame->bottom);
}

/* A function ends. Returns true if others have touched the memory from *low to *high, which ends with it. */
bool stack_leave(const struct thread *t, const struct frame *frame, uintptr_t *low, uintptr_t *high) {
    uintptr_t from = foreign[t->tid].low, to = foreign[t->tid].high;
    uint8_t *s = frame->top > frame->bottom ? state_of(t, frame->bottom, frame->top - frame->bottom) : NULL;
    if (s != NULL && !(lives_on(t) && t->depth == 1))
        memset(s, DEAD, frame->top - frame->bottom);
    if (to == 0 || from >= frame->top || to <= frame->bottom || !R.running || (lives_on(t) && t->depth == 1))
        return false;
    *low = from > frame->bottom ? from : frame->bottom;
    *high = to < frame->top ? to : frame->top;
    return true;
}
