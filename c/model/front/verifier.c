/* verifier.c: what genmc.h declares, and SV-COMP's programs declare by themselves. */
#include "../objects/objects.h"
#include "../genmc.h"

void __VERIFIER_assume(int condition) { lf_model_assume(condition); }
void __VERIFIER_dismiss(void);
void __VERIFIER_dismiss(void) { lf_model_assume(false); } /* instead of the abort of assume_abort_if_not */

static void failed(const char *what, uint64_t pc) {
    fail("assertion failed", "%s @%lx@", what, (unsigned long)pc);
    leave_run(RUN_VIOLATION);
}
void __VERIFIER_assert(int condition) {
    if (!condition)
        failed("__VERIFIER_assert", PC);
}
void __VERIFIER_error(void) { failed("__VERIFIER_error is called", PC); }
void reach_error(void);
void reach_error(void) { failed("reach_error is called", PC); }

bool __VERIFIER_nondet_bool(void) { return model_choose(2, PC) != 0; }

/* Not all numbers can be tried. Tried are the constants of the program and their neighbours, since that is where a
 * comparison changes, and one that no constant is near. The driver lists the constants (modelcheck/numbers.py). */
extern const int64_t __start_lf_model_numbers[] __attribute__((weak, visibility("hidden")));
extern const int64_t __stop_lf_model_numbers[] __attribute__((weak, visibility("hidden")));
enum { NUMBERS_TRIED = 16 };

static unsigned add_number(int64_t *numbers, unsigned n, int64_t number) {
    for (unsigned i = 0; i < n; i++)
        if (numbers[i] == number)
            return n;
    if (n < NUMBERS_TRIED)
        numbers[n++] = number;
    return n;
}

static int64_t some_number(uint64_t pc) {
    static const int64_t steps[] = {0, 1, -1};
    int64_t numbers[NUMBERS_TRIED] = {0, 1, -1, random_number()};
    unsigned n = 4;
    R.numbers_given = true;
    for (unsigned step = 0; step < sizeof steps / sizeof *steps; step++)
        for (const int64_t *c = __start_lf_model_numbers; c != __stop_lf_model_numbers; c++)
            n = add_number(numbers, n, (int64_t)((uint64_t)*c + (uint64_t)steps[step]));
    return numbers[model_choose(n, pc)];
}
#define NONDET(name, type)                                                                                             \
    type __VERIFIER_nondet_##name(void);                                                                               \
    type __VERIFIER_nondet_##name(void) { return (type)some_number(PC); }
NONDET(int, int)
NONDET(uint, unsigned)
NONDET(char, char)
NONDET(uchar, unsigned char)
NONDET(short, short)
NONDET(ushort, unsigned short)
NONDET(long, long)
NONDET(ulong, unsigned long)
NONDET(longlong, long long)
NONDET(ulonglong, unsigned long long)
NONDET(size_t, size_t)
NONDET(float, float)
NONDET(double, double)

unsigned __VERIFIER_tid(void) { return (unsigned)lf_model_thread(); }

void __VERIFIER_loop_bound(int turns) { (void)turns; }
void __VERIFIER_loop_begin(void) {}
void __VERIFIER_spin_start(void) {}
void __VERIFIER_spin_end(int done) {
    if (!done)
        pause_at(PC);
}

void __VERIFIER_final_begin(void) { R.current->promises = true; }
void __VERIFIER_final_end(void) { R.current->promises = false; }

/* One lock for all atomic sections; not MODEL_STATE: put back with the client's variables. */
static uint32_t section;
static int times_in[MAX_THREADS];
static bool nobody_is_in(u128 old, u128 me) {
    (void)me;
    return old == 0;
}
static u128 be_in(u128 old, u128 me) {
    (void)old;
    return me;
}
void __VERIFIER_atomic_begin(void) {
    if (times_in[current_thread()]++ == 0)
        wait_until(AT(&section), nobody_is_in, be_in, self(), ACQUIRE, "begin an atomic section", PC);
}
void __VERIFIER_atomic_end(void) {
    if (times_in[current_thread()] > 0 && --times_in[current_thread()] > 0)
        return;
    LABELLED("ends an atomic section", model_store(AT(&section), 4, 0, RELEASE, PC));
}

/* Nidhugg's exchange that waits until the old value compares with the operand as one of the bits of `when` says. */
enum { WHEN_GREATER = 1, WHEN_EQUAL = 2, WHEN_LESS = 4, WHEN_SIGNED = 8 };
static struct {
    unsigned operand, value;
    int when;
} awaited[MAX_THREADS];

static bool compares(u128 old, u128 thread) {
    unsigned a = (unsigned)old, b = awaited[thread].operand;
    int when = awaited[thread].when;
    bool less = (when & WHEN_SIGNED) != 0 ? (int)a < (int)b : a < b;
    return (when & (a == b ? WHEN_EQUAL : less ? WHEN_LESS : WHEN_GREATER)) != 0;
}
static u128 what_was_to_come(u128 old, u128 thread) {
    (void)old;
    return awaited[thread].value;
}
int __VERIFIER_xchg_await_aint(volatile _Atomic int *object, int value, int when, int operand);
int __VERIFIER_xchg_await_aint(volatile _Atomic int *object, int value, int when, int operand) {
    struct thread *t = R.current;
    unsigned thread = t != NULL ? t->tid : 0;
    awaited[thread].operand = (unsigned)operand;
    awaited[thread].value = (unsigned)value;
    awaited[thread].when = when;
    u128 old;
    for (;;) {
        if (R.running)
            hope(AT(object), compares, thread);
        bool done;
        LABELLED("exchange when it is so",
                 done = model_rmw_if(AT(object), 4, compares, what_was_to_come, thread, SEQ_CST, &old, PC));
        if (done)
            break;
        wait_for_change(R.current, "exchange", AT(object));
    }
    if (R.running)
        goes_on(R.current);
    return (int)old;
}
