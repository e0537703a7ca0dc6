/* count.c: under an answer that was compiled with -fsanitize=thread and -finstrument-functions. Counts what each call of
 * a function does: read-modify-writes, atomic loads and stores, cache lines, and lines that had to come from another
 * thread, as caches with the states modified, shared and invalid would move them. Prints the averages at the end. */
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS = 64, LINES = 1 << 16, OF_CALL = 64, KINDS = 4, NEAR = 1 << 20 };
enum { RMW, LOAD, STORE, FENCE };

struct line {
    uintptr_t number;
    uint64_t holders; /* bit t: thread t has it */
    int writer;       /* the thread that alone has it, 0 if none */
};
struct function {
    const void *at;
    uint64_t calls, counts[KINDS], lines, moved;
};

static struct function functions[FUNCTIONS];
static struct line lines[LINES];
static atomic_flag busy = ATOMIC_FLAG_INIT;
static atomic_int threads;
static _Thread_local int me, depth;
static _Thread_local uint64_t counts[KINDS], moved, touched;
static _Thread_local uintptr_t seen[OF_CALL];
static _Thread_local const char *frame;

static void take(void) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        sched_yield();
}
static void give(void) { atomic_flag_clear_explicit(&busy, memory_order_release); }

static struct line *find(uintptr_t number) {
    for (uintptr_t i = number * UINT64_C(0x9e3779b97f4a7c15) >> 48, tries = 0; tries < LINES;
         i = (i + 1) % LINES, tries++)
        if (lines[i].number == number || lines[i].number == 0) {
            lines[i].number = number;
            return &lines[i];
        }
    return NULL;
}

static void touch(const void *address, int writes) {
    const char *at = (const char *)address;
    if (depth == 0 || (at > frame - NEAR && at < frame + NEAR / 8)) /* its own stack */
        return;
    uintptr_t number = (uintptr_t)address / 64;
    uint64_t mine = UINT64_C(1) << (me % 64), i = 0;
    while (i < touched && seen[i] != number)
        i++;
    if (i == touched && touched < OF_CALL)
        seen[touched++] = number;
    take();
    struct line *line = find(number);
    if (line != NULL) {
        if (line->holders != 0 && (writes ? line->writer != me && line->holders != mine : !(line->holders & mine)))
            moved++;
        line->holders = writes ? mine : line->holders | mine;
        line->writer = writes ? me : line->writer == me ? me : 0;
    }
    give();
}

void __cyg_profile_func_enter(void *function, void *site) {
    (void)function, (void)site;
    if (depth++ > 0)
        return;
    if (me == 0)
        me = atomic_fetch_add(&threads, 1) + 1;
    frame = (const char *)__builtin_frame_address(0);
    moved = touched = 0;
    for (int kind = 0; kind < KINDS; kind++)
        counts[kind] = 0;
}

void __cyg_profile_func_exit(void *function, void *site) {
    (void)site;
    if (--depth > 0)
        return;
    take();
    for (int i = 0; i < FUNCTIONS; i++) {
        if (functions[i].at != NULL && functions[i].at != function)
            continue;
        functions[i].at = function;
        functions[i].calls++;
        functions[i].lines += touched;
        functions[i].moved += moved;
        for (int kind = 0; kind < KINDS; kind++)
            functions[i].counts[kind] += counts[kind];
        break;
    }
    give();
}

__attribute__((destructor)) static void say(void) {
    for (int i = 0; i < FUNCTIONS && functions[i].at != NULL; i++) {
        const struct function *f = &functions[i];
        fprintf(stderr, "counted\t%lx\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu\n", (unsigned long)(uintptr_t)f->at,
                (unsigned long)f->calls, (unsigned long)f->counts[RMW], (unsigned long)f->counts[LOAD],
                (unsigned long)f->counts[STORE], (unsigned long)f->counts[FENCE], (unsigned long)f->lines,
                (unsigned long)f->moved);
    }
}

static void counted(const void *address, int kind) {
    counts[kind]++;
    touch(address, kind != LOAD);
}

void __tsan_init(void) {}
void __tsan_func_entry(void *pc) { (void)pc; }
void __tsan_func_exit(void) {}
void __tsan_vptr_update(void **at, void *value) { (void)at, (void)value; }
void __tsan_vptr_read(void **at) { (void)at; }
void __tsan_read_range(void *at, unsigned long size) {
    for (unsigned long i = 0; i < size; i += 64)
        touch((char *)at + i, 0);
}
void __tsan_write_range(void *at, unsigned long size) {
    for (unsigned long i = 0; i < size; i += 64)
        touch((char *)at + i, 1);
}
/* clang calls these three for copies of memory; gcc leaves them to the C library */
void *__tsan_memcpy(void *to, const void *from, unsigned long size) {
    __tsan_read_range((void *)(uintptr_t)from, size);
    __tsan_write_range(to, size);
    return memcpy(to, from, size);
}
void *__tsan_memmove(void *to, const void *from, unsigned long size) {
    __tsan_read_range((void *)(uintptr_t)from, size);
    __tsan_write_range(to, size);
    return memmove(to, from, size);
}
void *__tsan_memset(void *at, int byte, unsigned long size) {
    __tsan_write_range(at, size);
    return memset(at, byte, size);
}
#define PLAIN(size)                                                                                                    \
    void __tsan_read##size(void *at) { touch(at, 0); }                                                                 \
    void __tsan_write##size(void *at) { touch(at, 1); }                                                                \
    void __tsan_unaligned_read##size(void *at) { touch(at, 0); }                                                       \
    void __tsan_unaligned_write##size(void *at) { touch(at, 1); }                                                      \
    void __tsan_volatile_read##size(void *at) { touch(at, 0); }                                                        \
    void __tsan_volatile_write##size(void *at) { touch(at, 1); }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define RMWS(bits, type, name)                                                                                         \
    type __tsan_atomic##bits##_fetch_##name(volatile type *at, type value, int order) {                                \
        (void)order;                                                                                                   \
        counted((const void *)at, RMW);                                                                                \
        return __atomic_fetch_##name(at, value, __ATOMIC_SEQ_CST);                                                     \
    }
#define ATOMIC(bits, type)                                                                                             \
    type __tsan_atomic##bits##_load(const volatile type *at, int order) {                                              \
        (void)order;                                                                                                   \
        counted((const void *)at, LOAD);                                                                               \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                                  \
    }                                                                                                                  \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order) {                                       \
        (void)order;                                                                                                   \
        counted((const void *)at, STORE);                                                                              \
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                                                                 \
    }                                                                                                                  \
    type __tsan_atomic##bits##_exchange(volatile type *at, type value, int order) {                                    \
        (void)order;                                                                                                   \
        counted((const void *)at, RMW);                                                                                \
        return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);                                                       \
    }                                                                                                                  \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *expected, type value, int order,        \
                                                      int failed) {                                                    \
        (void)order, (void)failed;                                                                                     \
        counted((const void *)at, RMW);                                                                                \
        return __atomic_compare_exchange_n(at, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
    }                                                                                                                  \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *at, type *expected, type value, int order,          \
                                                    int failed) {                                                      \
        return __tsan_atomic##bits##_compare_exchange_strong(at, expected, value, order, failed);                      \
    }                                                                                                                  \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *at, type expected, type value, int order,           \
                                                    int failed) {                                                      \
        __tsan_atomic##bits##_compare_exchange_strong(at, &expected, value, order, failed);                            \
        return expected;                                                                                               \
    }                                                                                                                  \
    RMWS(bits, type, add)                                                                                              \
    RMWS(bits, type, sub) RMWS(bits, type, and) RMWS(bits, type, or) RMWS(bits, type, xor) RMWS(bits, type, nand)
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order) {
    (void)order;
    counts[FENCE] += depth > 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int order) { (void)order; }
