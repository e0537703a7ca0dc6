/* Which side of a drop is at fault shows by fences: the judge's own fence stands in for one side, or for both. */
#include "object.h"

enum { BEFORE = 1, AFTER = 2 };

static void one(void) { make(1); }
static void two(void) { make(2); }
static void three(void) { make(3); }
static void almost_most(void) { make(REFCOUNT_MAX - 1); }

static void drop(int fences) {
    if (fences & BEFORE)
        atomic_thread_fence(memory_order_release);
    if (!ref_drop(&count))
        return;
    if (fences & AFTER)
        atomic_thread_fence(memory_order_acquire);
    destroy();
}

static void leave(int fences) {
    use();
    drop(fences);
}
static void leave_both(void) { leave(BEFORE | AFTER); }
static void leave_after(void) { leave(AFTER); }
static void leave_before(void) { leave(BEFORE); }
static void leave_bare(void) { leave(0); }

static void copy_and_leave(void) {
    lf_model_assert(ref_copy(&count));
    drop(BEFORE | AFTER);
    use();
    drop(BEFORE | AFTER);
}

static void from_outside(void) {
    if (!ref_try(&count))
        return;
    use();
    drop(BEFORE | AFTER);
}

static void write_if_unique(void) {
    if (ref_unique(&count))
        body = 5;
}

static _Atomic int copied;
static void copy_once(void) {
    if (ref_copy(&count))
        atomic_fetch_add_explicit(&copied, 1, memory_order_relaxed);
}
static void try_once(void) {
    if (ref_try(&count))
        atomic_fetch_add_explicit(&copied, 1, memory_order_relaxed);
}
static void not_too_many(void) {
    uint32_t owners = atomic_load(&count.owners);
    lf_model_assert(owners == REFCOUNT_MAX && copied == 1);
}
static void most_owners(void) { make(REFCOUNT_MAX); }
static void never_more(void) { lf_model_assert(atomic_load(&count.owners) <= REFCOUNT_MAX); }
static void counted(void) {
    uint32_t owners = atomic_load(&count.owners);
    lf_model_assert(owners == 3 + (uint32_t)copied);
}

LF_MODEL_CLIENT(counts, .setup = three, .threads = {copy_once, copy_once}, .final = counted);
LF_MODEL_CLIENT(last, .setup = two, .threads = {leave_both, leave_both}, .final = destroyed_once);
LF_MODEL_CLIENT(most, .setup = almost_most, .threads = {copy_once, try_once}, .final = not_too_many);
LF_MODEL_CLIENT(most_at_any_time, .setup = most_owners, .threads = {copy_once, try_once, never_more});
LF_MODEL_CLIENT(outside, .setup = one, .threads = {leave_both, from_outside}, .final = destroyed_once);
LF_MODEL_CLIENT(copies, .setup = two, .threads = {copy_and_leave, leave_both}, .final = destroyed_once);
LF_MODEL_CLIENT(before_drop, .setup = two, .threads = {leave_after, leave_after}, .final = destroyed_once);
LF_MODEL_CLIENT(after_drop, .setup = two, .threads = {leave_before, leave_before}, .final = destroyed_once);
LF_MODEL_CLIENT(unique, .setup = two, .threads = {leave_before, write_if_unique});
LF_MODEL_CLIENT(three_owners, .setup = three, .threads = {leave_bare, leave_bare, leave_bare}, .final = destroyed_once);
LF_MODEL_CLIENT(three_outside, .setup = one, .threads = {leave_bare, from_outside, from_outside},
                .final = destroyed_once);
