/* verifier.c: what genmc.h declares, and SV-COMP's programs declare by themselves. */
#include "../objects/objects.h"
#include "../genmc.h"

void __VERIFIER_assume(int condition) { lf_model_assume(condition); }

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
#define NONDET(name, type)                                                                                             \
    type __VERIFIER_nondet_##name(void);                                                                               \
    type __VERIFIER_nondet_##name(void) {                                                                              \
        R.numbers_given = true;                                                                                        \
        return (type)random_number();                                                                                  \
    }
NONDET(int, int)
NONDET(uint, unsigned)
NONDET(char, char)
NONDET(uchar, unsigned char)
NONDET(short, short)
NONDET(ushort, unsigned short)
NONDET(long, long)
NONDET(ulong, unsigned long)

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
static bool nobody_is_in(u128 old, u128 me) {
    (void)me;
    return old == 0;
}
static u128 be_in(u128 old, u128 me) {
    (void)old;
    return me;
}
void __VERIFIER_atomic_begin(void) {
    wait_until(AT(&section), nobody_is_in, be_in, self(), ACQUIRE, "begin an atomic section", PC);
}
void __VERIFIER_atomic_end(void) { LABELLED("ends an atomic section", model_store(AT(&section), 4, 0, RELEASE, PC)); }
