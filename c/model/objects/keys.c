/* keys.c: what belongs to a thread: the values of POSIX's and C11's keys, and what is done when it ends. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <threads.h>

enum { MAX_KEYS = 64, MAX_VALUES = 256, KEYS_OF_A_THREAD = 256 };
typedef void (*destructor)(void *);

/* No MODEL_STATE: put back with the client's variables. A key's number tells which thread made it, so that it does not
 * depend on who comes first. */
static struct key {
    unsigned number;
    destructor function;
} keys[MAX_KEYS];
static int key_count;
static struct value {
    unsigned key;
    int tid;
    void *content;
} values[MAX_VALUES];
static int value_count;

static struct key *key_of(unsigned number) {
    for (int i = 0; i < key_count; i++)
        if (keys[i].number == number)
            return &keys[i];
    return NULL;
}

static int make_key(unsigned *number, destructor function, uint64_t pc) {
    int tid = current_thread();
    unsigned next = (unsigned)tid * KEYS_OF_A_THREAD + 1;
    while (key_of(next) != NULL)
        next++;
    if (key_count == MAX_KEYS)
        fail("unusable client", "it has more than %d keys of thread-specific values @%lx@", MAX_KEYS,
             (unsigned long)pc);
    plain_access((uintptr_t)number, sizeof *number, true, pc);
    *number = next;
    keys[key_count++] = (struct key){next, function};
    return 0;
}

static int delete_key(unsigned number) {
    struct key *key = key_of(number);
    if (key == NULL)
        return EINVAL;
    *key = keys[--key_count];
    for (int i = 0; i < value_count; i++)
        if (values[i].key == number)
            values[i].content = NULL;
    return 0;
}

static struct value *value_of(unsigned key) {
    for (int i = 0; i < value_count; i++)
        if (values[i].key == key && values[i].tid == current_thread())
            return &values[i];
    return NULL;
}

static int set_value(unsigned key, const void *content, uint64_t pc) {
    if (key_of(key) == NULL)
        return EINVAL;
    struct value *value = value_of(key);
    if (value == NULL) {
        if (value_count == MAX_VALUES)
            fail("unusable client", "it has more than %d thread-specific values @%lx@", MAX_VALUES, (unsigned long)pc);
        value = &values[value_count++];
    }
    *value = (struct value){key, current_thread(), (void *)(uintptr_t)content};
    return 0;
}

static void *get_value(unsigned key) {
    const struct value *value = value_of(key);
    return value != NULL ? value->content : NULL;
}

int pthread_key_create(pthread_key_t *key, destructor function) { return make_key(key, function, PC); }
int pthread_key_delete(pthread_key_t key) { return delete_key(key); }
int pthread_setspecific(pthread_key_t key, const void *content) { return set_value(key, content, PC); }
void *pthread_getspecific(pthread_key_t key) { return get_value(key); }
int tss_create(tss_t *key, tss_dtor_t function) {
    make_key(key, function, PC);
    return thrd_success;
}
void tss_delete(tss_t key) { delete_key(key); }
int tss_set(tss_t key, void *content) { return set_value(key, content, PC) == 0 ? thrd_success : thrd_error; }
void *tss_get(tss_t key) { return get_value(key); }

/* Destructors of C++'s thread_local objects. */
enum { MAX_LAST_CALLS = 128 };
static struct {
    int tid;
    destructor function;
    void *argument;
} last_calls[MAX_LAST_CALLS];
static int last_call_count;

int __cxa_thread_atexit(destructor function, void *argument, void *library);
int __cxa_thread_atexit(destructor function, void *argument, void *library) {
    (void)library;
    if (last_call_count == MAX_LAST_CALLS)
        fail("unusable client", "it has more than %d thread-local objects with destructors @%lx@", MAX_LAST_CALLS,
             (unsigned long)PC);
    last_calls[last_call_count].tid = current_thread();
    last_calls[last_call_count].function = function;
    last_calls[last_call_count++].argument = argument;
    return 0;
}
int lf_libc___cxa_thread_atexit_impl(destructor function, void *argument, void *library)
    __attribute__((alias("__cxa_thread_atexit")));

void run_thread_destructors(void) {
    int tid = current_thread();
    for (int i = last_call_count - 1; i >= 0; i--) {
        if (last_calls[i].tid != tid || last_calls[i].function == NULL)
            continue;
        destructor function = last_calls[i].function;
        last_calls[i].function = NULL;
        function(last_calls[i].argument);
        i = last_call_count; /* it may have made others */
    }
}

void run_key_destructors(void) {
    int tid = current_thread();
    bool any = true;
    for (int round = 0; any && round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        any = false;
        for (int i = 0; i < value_count; i++) {
            const struct key *key = key_of(values[i].key);
            void *content = values[i].content;
            if (values[i].tid != tid || content == NULL || key == NULL || key->function == NULL)
                continue;
            values[i].content = NULL;
            key->function(content);
            any = true;
        }
    }
}

/* Cleanup handlers: pthread_exit goes to the innermost one, which comes back here. */
enum { MAX_CLEANUPS = 64 };
static struct {
    int tid;
    struct __jmp_buf_tag *at;
} cleanups[MAX_CLEANUPS];
static int cleanup_count;

void lf_libc___pthread_register_cancel(void *buffer);
void lf_libc___pthread_register_cancel(void *buffer) {
    if (cleanup_count == MAX_CLEANUPS)
        fail("unusable client", "it has more than %d cleanup handlers @%lx@", MAX_CLEANUPS, (unsigned long)PC);
    cleanups[cleanup_count].tid = current_thread();
    cleanups[cleanup_count++].at = buffer;
}

static int innermost_cleanup(void) {
    int i = cleanup_count - 1;
    while (i >= 0 && cleanups[i].tid != current_thread())
        i--;
    return i;
}

static void *remove_cleanup(int i) {
    void *buffer = cleanups[i].at;
    cleanup_count--;
    for (; i < cleanup_count; i++)
        cleanups[i] = cleanups[i + 1];
    return buffer;
}

void lf_libc___pthread_unregister_cancel(void *buffer);
void lf_libc___pthread_unregister_cancel(void *buffer) {
    (void)buffer;
    if (innermost_cleanup() >= 0)
        remove_cleanup(innermost_cleanup());
}

void run_cleanups(void) {
    int i = innermost_cleanup();
    if (i >= 0)
        siglongjmp(remove_cleanup(i), 1);
}
