/* process.c: a whole program as a client: its main is thread 1. How a process ends, its random numbers, and errno.
 *
 * When a process ends its other threads stop somewhere. Whatever they could still have done concurrently they could
 * have done before, so they are followed to their ends; but those that wait are not waiting for ever. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

int lf_model_program(int count, char **words, char **environment) __attribute__((weak)); /* main: symbols.py */

enum { MAX_HANDLERS = 128 };
/* No MODEL_STATE: what constructors registered is there again in every execution. */
static struct handler {
    void (*plain)(void);
    void (*function)(void *);
    void *argument;
} handlers[MAX_HANDLERS];
static int handler_count;

static int at_exit(struct handler handler, uint64_t pc) {
    if (handler_count == MAX_HANDLERS)
        fail("unusable client", "it registers more than %d functions with atexit @%lx@", MAX_HANDLERS,
             (unsigned long)pc);
    else
        handlers[handler_count++] = handler;
    return 0;
}

int lf_libc_atexit(void (*function)(void));
int lf_libc_atexit(void (*function)(void)) { return at_exit((struct handler){.plain = function}, PC); }
/* Destructors of C++'s static objects. */
int lf_libc___cxa_atexit(void (*function)(void *), void *argument, void *library);
int lf_libc___cxa_atexit(void (*function)(void *), void *argument, void *library) {
    (void)library;
    return at_exit((struct handler){.function = function, .argument = argument}, PC);
}

/* Functions with the attribute `destructor`, the last one first. */
typedef void (*destructor)(void);
extern destructor __fini_array_start[] __attribute__((weak, visibility("hidden")));
extern destructor __fini_array_end[] __attribute__((weak, visibility("hidden")));

static void run_handlers(void) {
    while (handler_count > 0) {
        struct handler last = handlers[--handler_count];
        if (last.plain != NULL)
            last.plain();
        else
            last.function(last.argument);
    }
    for (destructor *end = __fini_array_end; end != __fini_array_start;)
        (*--end)();
}

static void end_process(int status, bool with_handlers, uint64_t pc) {
    if (!R.running) {
        fail("unusable client", "exit(%d) is called before the threads run @%lx@", status, (unsigned long)pc);
        abort();
    }
    if (with_handlers)
        run_handlers();
    if (status != 0)
        fail("exit status", "T%d calls exit(%d) @%lx@", R.current->tid, status, (unsigned long)pc);
    R.process_ended = true;
    R.current->start = NULL; /* there is nobody to join it */
    finish_thread();
    abort();
}

void lf_libc_exit(int status);
void lf_libc_exit(int status) { end_process(status, true, PC); }
void lf_libc__exit(int status);
void lf_libc__exit(int status) { end_process(status, false, PC); }
void lf_libc__Exit(int status) __attribute__((alias("lf_libc__exit")));
void lf_libc_quick_exit(int status) __attribute__((alias("lf_libc__exit")));

/* Constructors of a program of which one begins a thread (constructors.py). The least priority comes first. */
struct constructor {
    long priority;
    void (*function)(int, char **, char **);
};
extern const struct constructor __start_lf_constructors[] __attribute__((weak, visibility("hidden")));
extern const struct constructor __stop_lf_constructors[] __attribute__((weak, visibility("hidden")));

static void run_constructors(int count, char **words) {
    long last, next = -1;
    do {
        last = next, next = LONG_MAX;
        for (const struct constructor *c = __start_lf_constructors; c != __stop_lf_constructors; c++) {
            if (c->priority == last)
                c->function(count, words, environ);
            else if (c->priority > last && c->priority < next)
                next = c->priority;
        }
    } while (next != LONG_MAX);
}

static void run_program(void) {
    static char name[] = "program", *words[] = {name, NULL};
    run_constructors(1, words);
    int status = lf_model_program(1, words, environ);
    run_handlers();
    if (status != 0)
        fail("exit status", "main returned %d", status);
}

const struct lf_model_client program_client = {.name = "main", .threads = {run_program}, .timeouts = 1};

bool is_program(void) { return lf_model_program != NULL; }

/* Random numbers: a sequence of each thread, which does not depend on the others. A new thread begins where its creator
 * was. */
uint32_t random_number(void) {
    struct thread *t = R.current != NULL ? R.current : &R.thread[0];
    turns_forget(t); /* the next number is part of its state */
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(t->random >> 33);
}
static void seed_random(uint64_t seed) { (R.current != NULL ? R.current : &R.thread[0])->random = seed; }

int lf_libc_rand(void);
int lf_libc_rand(void) { return (int)random_number(); }
long lf_libc_random(void);
long lf_libc_random(void) { return (long)random_number(); }
long lf_libc_lrand48(void) __attribute__((alias("lf_libc_random")));
double lf_libc_drand48(void);
double lf_libc_drand48(void) { return random_number() / 2147483648.0; }
void lf_libc_srand(unsigned seed);
void lf_libc_srand(unsigned seed) { seed_random(seed); }
void lf_libc_srandom(unsigned seed) __attribute__((alias("lf_libc_srand")));
void lf_libc_srand48(long seed);
void lf_libc_srand48(long seed) { seed_random((uint64_t)seed); }
int lf_libc_rand_r(unsigned *seed);
int lf_libc_rand_r(unsigned *seed) {
    plain_access(AT(seed), sizeof *seed, true, PC);
    return rand_r(seed);
}
uint32_t lf_libc_arc4random(void);
uint32_t lf_libc_arc4random(void) { return random_number() << 1 ^ random_number(); }

static void fill_randomly(unsigned char *bytes, size_t size, uint64_t pc) {
    plain_access(AT(bytes), size, true, pc);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)random_number();
}
ssize_t lf_libc_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t lf_libc_getrandom(void *bytes, size_t size, unsigned flags) {
    (void)flags;
    fill_randomly(bytes, size, PC);
    return (ssize_t)size;
}
int lf_libc_getentropy(void *bytes, size_t size);
int lf_libc_getentropy(void *bytes, size_t size) {
    fill_randomly(bytes, size, PC);
    return 0;
}

/* errno: each thread's own, as it is without fibers. The C library sets the real one. */
int *lf_libc___errno_location(void);
int *lf_libc___errno_location(void) {
    static int errors[MAX_THREADS];
    int *mine = &errors[current_thread()];
    if (errno != 0)
        *mine = errno;
    errno = 0;
    return mine;
}
