/* cxx_wait.c: std::atomic::wait and notify, semaphores and latches of libstdc++ 16 and later. Older ones have them in
 * their headers, which make system calls. This one calls its library, where the model would see no access.
 *
 * An object of four bytes is a futex. Any other one sleeps on a proxy, a count of the notifications: */
#define _GNU_SOURCE
#include "../objects/objects.h"

#include <errno.h>
#include <limits.h>

enum { PROXIES = 16 };
static uint32_t proxies[PROXIES]; /* no MODEL_STATE: put back with the client's variables */

enum { SPIN_ONLY = 8 };
enum { HAS_VALUE = 1, TIMED_OUT = 2 };
struct arguments { /* std::__detail::__wait_args_base */
    uint32_t flags;
    int order;
    uint64_t old;
    void *state;
    const void *object;
    unsigned char size;
};
struct result { /* std::__detail::__wait_result_type */
    uint64_t value;
    unsigned char what;
};

static uint32_t *proxy_of(const void *object) { return &proxies[(AT(object) >> 2) % PROXIES]; }
static bool is_futex(const struct arguments *a) { return a->size == sizeof(uint32_t) && AT(a->object) % 4 == 0; }
static u128 count_on(u128 old, u128 operand) { return (uint32_t)(old + operand); }

static struct result wait(const struct arguments *a, bool timed, uint64_t ns, uint64_t pc) {
    uint32_t *word = (uint32_t *)a->object, old = (uint32_t)a->old;
    uint32_t now = (uint32_t)model_load(AT(word), sizeof now, a->order, pc);
    if (now != old)
        return (struct result){now, HAS_VALUE};
    if ((a->flags & SPIN_ONLY) != 0 || (timed && ns == 0))
        return (struct result){now, HAS_VALUE | TIMED_OUT};
    return (struct result){0, futex_wait(word, old, ns, pc) == -ETIMEDOUT ? TIMED_OUT : 0};
}

struct result lf_cxx_wait(const void *object,
                          const struct arguments *a) __asm__("_ZNSt8__detail11__wait_implEPKvRNS_16__wait_args_baseE");
struct result lf_cxx_wait(const void *object, const struct arguments *a) {
    (void)object;
    return wait(a, false, 0, PC);
}

/* until: of std::chrono::steady_clock */
struct result lf_cxx_wait_until(const void *object, const struct arguments *a, const int64_t *until) __asm__(
    "_ZNSt8__detail17__wait_until_implEPKvRNS_16__wait_args_baseERKNSt6chrono8durationIlSt5ratioILl1ELl1000000000EEEE");
struct result lf_cxx_wait_until(const void *object, const struct arguments *a, const int64_t *until) {
    (void)object;
    int64_t ns = *until - (int64_t)lf_model_now();
    return wait(a, true, ns > 0 ? (uint64_t)ns : 0, PC);
}

/* Lets a wait sleep on the proxy of `object`; NULL: looks at the proxy once more. */
bool lf_cxx_use_proxy(struct arguments *a,
                      const void *object) __asm__("_ZNSt8__detail11__wait_args19_M_setup_proxy_waitEPKv");
bool lf_cxx_use_proxy(struct arguments *a, const void *object) {
    if (object != NULL && is_futex(a))
        return false;
    if (object != NULL)
        a->object = proxy_of(object);
    a->size = sizeof(uint32_t);
    LABELLED("atomic wait", a->old = (uint64_t)model_load(AT(a->object), sizeof(uint32_t), ACQUIRE, PC));
    return true;
}

void lf_cxx_notify(const void *object, bool all,
                   const struct arguments *a) __asm__("_ZNSt8__detail13__notify_implEPKvbRKNS_16__wait_args_baseE");
void lf_cxx_notify(const void *object, bool all, const struct arguments *a) {
    if (is_futex(a)) {
        futex_wake((uint32_t *)object, all ? INT_MAX : 1, PC);
        return;
    }
    uint32_t *proxy = proxy_of(object); /* others may sleep on it, too: all look again */
    LABELLED("atomic notify", model_rmw(AT(proxy), sizeof *proxy, count_on, 1, ACQ_REL, PC));
    futex_wake(proxy, INT_MAX, PC);
}
