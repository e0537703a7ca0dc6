/* cxx.c: what C++ programs call besides: new and delete, local statics, clocks, and the marks of virtual tables. The
 * names are those of the Itanium C++ ABI. */
#define _GNU_SOURCE
#include "../objects/objects.h"

#include <stdlib.h>

static void *make(size_t size, size_t align, bool array, uint64_t pc) {
    void *made = heap_allocate(size, align, false, pc);
    heap_made_by(made, array ? BY_NEW_ARRAY : BY_NEW, pc);
    return made;
}

#define NEW(symbol, name, align, ...)                                                                                  \
    void *name(__VA_ARGS__) __asm__(symbol);                                                                           \
    void *name(__VA_ARGS__) { return make(size, (size_t)(align), (symbol)[3] == 'a', PC); }
NEW("_Znwm", lf_cxx_new, 16, size_t size)
NEW("_Znam", lf_cxx_new_array, 16, size_t size)
NEW("_ZnwmRKSt9nothrow_t", lf_cxx_new_nothrow, 16, size_t size, const void *nothrow __attribute__((unused)))
NEW("_ZnamRKSt9nothrow_t", lf_cxx_new_array_nothrow, 16, size_t size, const void *nothrow __attribute__((unused)))
NEW("_ZnwmSt11align_val_t", lf_cxx_new_aligned, align, size_t size, size_t align)
NEW("_ZnamSt11align_val_t", lf_cxx_new_array_aligned, align, size_t size, size_t align)
NEW("_ZnwmSt11align_val_tRKSt9nothrow_t", lf_cxx_new_aligned_nothrow, align, size_t size, size_t align,
    const void *nothrow __attribute__((unused)))
NEW("_ZnamSt11align_val_tRKSt9nothrow_t", lf_cxx_new_array_aligned_nothrow, align, size_t size, size_t align,
    const void *nothrow __attribute__((unused)))

#define DELETE(symbol, name)                                                                                           \
    void name(void *pointer) __asm__(symbol);                                                                          \
    void name(void *pointer) { heap_free_as(pointer, (symbol)[3] == 'a' ? BY_NEW_ARRAY : BY_NEW, PC); }
DELETE("_ZdlPv", lf_cxx_delete)
DELETE("_ZdaPv", lf_cxx_delete_array)
DELETE("_ZdlPvm", lf_cxx_delete_sized)
DELETE("_ZdaPvm", lf_cxx_delete_array_sized)
DELETE("_ZdlPvSt11align_val_t", lf_cxx_delete_aligned)
DELETE("_ZdaPvSt11align_val_t", lf_cxx_delete_array_aligned)
DELETE("_ZdlPvmSt11align_val_t", lf_cxx_delete_sized_aligned)
DELETE("_ZdaPvmSt11align_val_t", lf_cxx_delete_array_sized_aligned)
DELETE("_ZdlPvRKSt9nothrow_t", lf_cxx_delete_nothrow)
DELETE("_ZdaPvRKSt9nothrow_t", lf_cxx_delete_array_nothrow)

/* Local statics: the guard's first byte says that the object is made, as inline code looks at it; the rest is the
 * state of the thread that makes it. */
enum { MADE = 1, NOBODY = 0, BUSY = 1 };
static bool nobody_is_busy(u128 old, u128 operand) {
    (void)operand;
    return old == NOBODY;
}
static u128 is_busy(u128 old, u128 operand) {
    (void)old;
    return operand;
}

int __cxa_guard_acquire(char *guard);
int __cxa_guard_acquire(char *guard) {
    u128 made;
    LABELLED("static object", made = model_load(AT(guard), 1, ACQUIRE, PC));
    if (made)
        return 0;
    wait_until(AT(guard) + 4, nobody_is_busy, is_busy, BUSY, ACQUIRE, "make a static object", PC);
    LABELLED("static object", made = model_load(AT(guard), 1, ACQUIRE, PC));
    if (!made)
        return 1;
    LABELLED("static object made", model_store(AT(guard) + 4, 4, NOBODY, RELEASE, PC));
    return 0;
}
void __cxa_guard_release(char *guard);
void __cxa_guard_release(char *guard) {
    LABELLED("static object made", model_store(AT(guard), 1, MADE, RELEASE, PC));
    LABELLED("static object made", model_store(AT(guard) + 4, 4, NOBODY, RELEASE, PC));
}
void __cxa_guard_abort(char *guard);
void __cxa_guard_abort(char *guard) {
    LABELLED("static object not made", model_store(AT(guard) + 4, 4, NOBODY, RELEASE, PC));
}

/* Where an object's virtual functions are: written when it is made or ends. */
void __tsan_vptr_update(void **at, void *table);
void __tsan_vptr_update(void **at, void *table) { plain_access(AT(at), sizeof *at, *at != table, PC); }
void __tsan_vptr_read(void **at);
void __tsan_vptr_read(void **at) { plain_access(AT(at), sizeof *at, false, PC); }

/* std::chrono, and std::random_device. */
int64_t lf_cxx_steady_now(void) __asm__("_ZNSt6chrono3_V212steady_clock3nowEv");
int64_t lf_cxx_steady_now(void) { return (int64_t)look_at_clock(); }
int64_t lf_cxx_system_now(void) __asm__("_ZNSt6chrono3_V212system_clock3nowEv");
int64_t lf_cxx_system_now(void) { return (int64_t)look_at_clock(); }
unsigned lf_cxx_random_value(void *device) __asm__("_ZNSt13random_device9_M_getvalEv");
unsigned lf_cxx_random_value(void *device) {
    (void)device;
    return random_number();
}
