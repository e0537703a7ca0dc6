/* Structures that are copied, passed to functions and returned by value. See test_by_value.py for what the names say. */
#include "lockfree_model.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct pair { /* in two registers */
    long a, b;
};
struct small { /* in one */
    int a;
    char b;
};
struct mixed { /* in two of different kinds */
    double a;
    long b;
};
struct five { /* in memory */
    long a, b[4];
};
struct many { /* copied by a repeated instruction */
    long a, b[39];
};
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

#define GUARDED(name)                                                                                                  \
    static void guarded_##name(void) {                                                                                 \
        pthread_mutex_lock(&guard);                                                                                    \
        name();                                                                                                        \
        pthread_mutex_unlock(&guard);                                                                                  \
    }
#define KIND(name)                                                                                                     \
    static struct name one_##name, *several_##name;                                                                    \
    __attribute__((noinline)) struct name make_##name(long a) {                                                        \
        struct name x = {.a = 1};                                                                                      \
        x.a += a;                                                                                                      \
        return x;                                                                                                      \
    }                                                                                                                  \
    __attribute__((noinline)) void take_##name(struct name x) { assert(x.a != 7); }                                    \
    static void allocates_##name(void) { several_##name = calloc(4, sizeof *several_##name); }                         \
    static void fills_##name(void) { one_##name = make_##name(1); }                                                    \
    static void passes_##name(void) { take_##name(one_##name); }                                                       \
    static void fills_second_##name(void) { several_##name[1] = make_##name(several_##name[3].a); }                    \
    static void passes_second_##name(void) { take_##name(several_##name[1 + (several_##name[3].a != 0)]); }            \
    GUARDED(fills_##name)                                                                                              \
    GUARDED(passes_##name)                                                                                             \
    LF_MODEL_CLIENT(data_race__fills_##name, .threads = {fills_##name, fills_##name});                                 \
    LF_MODEL_CLIENT(data_race__passes_##name, .threads = {guarded_fills_##name, passes_##name});                       \
    LF_MODEL_CLIENT(data_race__in_the_heap_##name, .setup = allocates_##name,                                          \
                    .threads = {fills_second_##name, passes_second_##name});                                           \
    LF_MODEL_CLIENT(right_##name, .threads = {guarded_fills_##name, guarded_passes_##name})
KIND(pair);
KIND(small);
KIND(mixed);
KIND(five);
KIND(many);

/* Members that nobody has written are copied with the others, and are no uninitialised read. */
#define HALF(name)                                                                                                     \
    static struct name copy_##name;                                                                                    \
    static struct name pass_##name(struct name x) { return x; }                                                        \
    static void copies_half_##name(void) {                                                                             \
        struct name *half = malloc(sizeof *half), mine = {.a = 9}, other;                                              \
        half->a = 1;                                                                                                   \
        mine = *half;                                                                                                  \
        copy_##name = mine;                                                                                            \
        *half = copy_##name;                                                                                           \
        other = pass_##name(*half);                                                                                    \
        copy_##name = pass_##name(other);                                                                              \
        assert(copy_##name.a == 1 && other.a == 1);                                                                    \
        free(half);                                                                                                    \
    }                                                                                                                  \
    LF_MODEL_CLIENT(right_half_##name, .threads = {copies_half_##name})
HALF(pair);
HALF(small);
HALF(mixed);
HALF(five);
HALF(many);
