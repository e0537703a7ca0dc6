/* tsan.c: the functions that code compiled with -fsanitize=thread calls. */
#include "../objects/objects.h"
#include "../events/entry.h"

void __tsan_init(void);
void __tsan_init(void) {}
/* A function has made its frame larger since: arrays of variable length, alloca. */
static void reach_down(struct frame *frame, uintptr_t low) {
    frame->bottom = low < frame->bottom ? low : frame->bottom;
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller) {
    struct thread *t = R.current;
    if (t == NULL || t->depth++ >= MAX_DEPTH)
        return;
    t->here = PC;
    struct frame *frame = &t->frame[t->depth - 1];
    *frame = (struct frame){AT(__builtin_frame_address(0)), AT(__builtin_frame_address(1)), R.accesses, R.events};
    if (t->depth > 1)
        reach_down(frame - 1, frame->top);
    stack_enter(t, frame);
    t->path[t->depth] = (t->path[t->depth - 1] + AT(caller)) * 0x9E3779B97F4A7C15u;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void) {
    struct thread *t = R.current;
    if (t == NULL || t->depth == 0)
        return;
    uintptr_t low, high;
    if (t->depth <= MAX_DEPTH)
        reach_down(&t->frame[t->depth - 1], AT(__builtin_frame_address(0)));
    if (t->depth <= MAX_DEPTH && stack_leave(t, &t->frame[t->depth - 1], &low, &high))
        end_of_memory(low, high, PC);
    t->depth--;
}

static inline void plain(uintptr_t address, size_t size, bool write, uint64_t pc) {
    if (R.current != NULL)
        R.current->here = pc = outside_library(R.current, pc);
    plain_access(address, size, write, pc);
    if (!write && R.running && R.current != NULL)
        silent_read(pc);
}
#define PLAIN(name, size, write)                                                                                       \
    void __tsan_##name(void *p);                                                                                       \
    void __tsan_##name(void *p) { plain(AT(p), size, write, PC); }
#define PLAIN_ALL(size)                                                                                                \
    PLAIN(read##size, size, false)                                                                                     \
    PLAIN(write##size, size, true)                                                                                     \
    PLAIN(unaligned_read##size, size, false)                                                                           \
    PLAIN(unaligned_write##size, size, true)                                                                           \
    PLAIN(volatile_read##size, size, false)                                                                            \
    PLAIN(volatile_write##size, size, true)                                                                            \
    PLAIN(unaligned_volatile_read##size, size, false)                                                                  \
    PLAIN(unaligned_volatile_write##size, size, true)
PLAIN_ALL(1)
PLAIN_ALL(2)
PLAIN_ALL(4)
PLAIN_ALL(8)
PLAIN_ALL(16)

void __tsan_read_range(void *p, unsigned long size);
void __tsan_read_range(void *p, unsigned long size) { plain(AT(p), size, false, PC); }
void __tsan_write_range(void *p, unsigned long size);
void __tsan_write_range(void *p, unsigned long size) { plain(AT(p), size, true, PC); }

static u128 change_add(u128 old, u128 x) { return old + x; }
static u128 change_sub(u128 old, u128 x) { return old - x; }
static u128 change_and(u128 old, u128 x) { return old & x; }
static u128 change_or(u128 old, u128 x) { return old | x; }
static u128 change_xor(u128 old, u128 x) { return old ^ x; }
static u128 change_nand(u128 old, u128 x) { return ~(old & x); }
static u128 change_exchange(u128 old, u128 x) {
    (void)old;
    return x;
}

#define FETCH(bits, type, op)                                                                                          \
    ENTERED(__tsan_atomic##bits##_##op);                                                                               \
    type AT_ENTRY(__tsan_atomic##bits##_##op)(volatile type * p, type x, int order);                                   \
    type AT_ENTRY(__tsan_atomic##bits##_##op)(volatile type * p, type x, int order) {                                  \
        spin_check(AT(p), with_arguments(AT(p), x, 0), PC);                                                            \
        return (type)model_rmw(AT(p), bits / 8, CHANGE_##op, x, order & 7, PC);                                        \
    }
#define CHANGE_fetch_add change_add
#define CHANGE_fetch_sub change_sub
#define CHANGE_fetch_and change_and
#define CHANGE_fetch_or change_or
#define CHANGE_fetch_xor change_xor
#define CHANGE_fetch_nand change_nand
#define CHANGE_exchange change_exchange

/* A weak swap may fail although the value is as expected: with --weak-failures once in each thread. x86 never does it.
 * clang calls compare_exchange_val for both kinds. */
static bool fails_for_no_reason(uint64_t pc) {
    struct thread *t = R.current;
    if (!R.options.weak_failures || !R.running || t->weak_failures > 0 || model_choose(2, pc) == 0)
        return false;
    t->weak_failures++;
    R.event[R.events - 1].doing = "a weak swap fails for no reason";
    return true;
}
#define IS_weak true
#define IS_strong false

#define CAS(bits, type, strength)                                                                                      \
    ENTERED(__tsan_atomic##bits##_compare_exchange_##strength);                                                        \
    int AT_ENTRY(__tsan_atomic##bits##_compare_exchange_##strength)(volatile type * p, type * expected, type desired,  \
                                                                    int order, int failure);                           \
    int AT_ENTRY(__tsan_atomic##bits##_compare_exchange_##strength)(volatile type * p, type * expected, type desired,  \
                                                                    int order, int failure) {                          \
        spin_check(AT(p), with_arguments(AT(p), AT(expected), desired), PC);                                           \
        plain(AT(expected), bits / 8, false, PC); /* gcc leaves this object to the call, clang does not */             \
        u128 seen = *expected;                                                                                         \
        bool fails = IS_##strength && fails_for_no_reason(PC);                                                         \
        bool done = !fails && model_cas(AT(p), bits / 8, &seen, desired, order & 7, failure & 7, PC);                  \
        if (fails)                                                                                                     \
            seen = model_load(AT(p), bits / 8, failure & 7, PC);                                                       \
        if (!done) {                                                                                                   \
            plain(AT(expected), bits / 8, true, PC);                                                                   \
            *expected = (type)seen;                                                                                    \
        }                                                                                                              \
        return done;                                                                                                   \
    }

#define ATOMICS(bits, type)                                                                                            \
    ENTERED(__tsan_atomic##bits##_load);                                                                               \
    type AT_ENTRY(__tsan_atomic##bits##_load)(const volatile type *p, int order);                                      \
    type AT_ENTRY(__tsan_atomic##bits##_load)(const volatile type *p, int order) {                                     \
        spin_check(AT(p), with_arguments(AT(p), 0, 0), PC);                                                            \
        return (type)model_load(AT(p), bits / 8, order & 7, PC);                                                       \
    }                                                                                                                  \
    void __tsan_atomic##bits##_store(volatile type *p, type x, int order);                                             \
    void __tsan_atomic##bits##_store(volatile type *p, type x, int order) {                                            \
        model_store(AT(p), bits / 8, x, order & 7, PC);                                                                \
    }                                                                                                                  \
    FETCH(bits, type, fetch_add)                                                                                       \
    FETCH(bits, type, fetch_sub)                                                                                       \
    FETCH(bits, type, fetch_and)                                                                                       \
    FETCH(bits, type, fetch_or)                                                                                        \
    FETCH(bits, type, fetch_xor)                                                                                       \
    FETCH(bits, type, fetch_nand)                                                                                      \
    FETCH(bits, type, exchange)                                                                                        \
    CAS(bits, type, strong)                                                                                            \
    CAS(bits, type, weak)                                                                                              \
    ENTERED(__tsan_atomic##bits##_compare_exchange_val);                                                               \
    type AT_ENTRY(__tsan_atomic##bits##_compare_exchange_val)(volatile type * p, type expected, type desired,          \
                                                              int order, int failure);                                 \
    type AT_ENTRY(__tsan_atomic##bits##_compare_exchange_val)(volatile type * p, type expected, type desired,          \
                                                              int order, int failure) {                                \
        spin_check(AT(p), with_arguments(AT(p), expected, desired), PC);                                               \
        u128 seen = expected;                                                                                          \
        model_cas(AT(p), bits / 8, &seen, desired, order & 7, failure & 7, PC);                                        \
        return (type)seen;                                                                                             \
    }

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
ATOMICS(128, u128)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order) { model_fence(order & 7, PC); }
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order) {
    if ((order & 7) == SEQ_CST)
        model_light_fence(PC);
}
