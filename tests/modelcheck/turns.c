/* Loops whose turns change something, and loops whose turns change nothing. See test_turns.py for what the names say. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include "lockfree_model.h"
#include "seam.h"

static atomic_int x, y, z, beats, lock_word;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int plain, heard[2];

static void sets_x(void) { atomic_store(&x, 1); }
static void sets_x_relaxed(void) { atomic_store_explicit(&x, 1, memory_order_relaxed); }

/* The number of turns matters afterwards. */
static void tries_five_times(void) {
    int tries = 0;
    while (tries < 5 && !atomic_load(&x)) {
        tries++;
        sched_yield();
    }
    lf_model_assert(tries != 3);
}
static void tries_from_the_end(void) {
    int left = 5;
    for (; left > 0 && !atomic_load(&x); left--)
        lf_model_pause();
    lf_model_assert(left != 1);
}
static void sums_up(void) {
    int sum = 0;
    for (int i = 0; i < 8; i++)
        sum += atomic_load_explicit(&x, memory_order_relaxed);
    lf_model_assert(sum != 2);
}
static void turns_a_bit(void) {
    unsigned bits = 1;
    while (bits < 64 && !atomic_load(&x))
        bits <<= 1;
    lf_model_assert(bits != 16);
}
static int tried;
static void counts_in_a_variable_of_all(void) {
    while (tried < 5 && !atomic_load(&x))
        tried++;
    lf_model_assert(tried != 4);
}
static void sums_up_rightly(void) {
    int sum = 0;
    for (int i = 0; i < 8; i++)
        sum += atomic_load_explicit(&x, memory_order_relaxed);
    lf_model_assert(sum >= 0 && sum <= 8);
}
LF_MODEL_CLIENT(assertion_failed__third_try, .threads = {tries_five_times, sets_x});
LF_MODEL_CLIENT(assertion_failed__last_but_one, .threads = {tries_from_the_end, sets_x});
LF_MODEL_CLIENT(assertion_failed__sum, .threads = {sums_up, sets_x_relaxed});
LF_MODEL_CLIENT(assertion_failed__bit, .threads = {turns_a_bit, sets_x});
LF_MODEL_CLIENT(assertion_failed__variable_of_all, .threads = {counts_in_a_variable_of_all, sets_x});
LF_MODEL_CLIENT(right_sum, .threads = {sums_up_rightly, sets_x_relaxed});

/* Long loops that give up are no deadlock. */
static void gives_up_after_4000(void) {
    for (int i = 0; i < 4000; i++)
        if (atomic_load_explicit(&x, memory_order_acquire))
            return;
    atomic_store(&y, 1);
}
static void helps_who_gave_up(void) {
    if (atomic_load(&y))
        atomic_store(&x, 1);
}
LF_MODEL_CLIENT(right_gives_up_after_4000, .threads = {gives_up_after_4000, helps_who_gave_up});

/* Waiting in every shape: with calls, with several reads, with variables of its own that come back. */
static __attribute__((noinline)) int look(void) { return atomic_load_explicit(&x, memory_order_acquire); }
static __attribute__((noinline)) int look_twice(int *seen) {
    *seen = look();
    return *seen || atomic_load_explicit(&y, memory_order_acquire);
}
static void waits_through_calls(void) {
    int seen;
    while (!look_twice(&seen))
        ;
    lf_model_assert(seen == 1);
}
static void waits_with_a_small_counter(void) {
    for (int spins = 0; !atomic_load(&x);)
        if (++spins == 3) {
            spins = 0;
            sched_yield();
        }
}
static void takes_by_exchange(void) {
    while (atomic_exchange(&lock_word, 1))
        ;
    plain++;
    atomic_store(&lock_word, 0);
}
static void takes_by_compare(void) {
    for (int free = 0; !atomic_compare_exchange_weak(&lock_word, &free, 1); free = 0)
        ;
    plain++;
    atomic_store(&lock_word, 0);
}
LF_MODEL_CLIENT(right_waits_through_calls, .threads = {waits_through_calls, sets_x});
LF_MODEL_CLIENT(deadlock__through_calls, .threads = {waits_through_calls});
LF_MODEL_CLIENT(right_small_counter, .threads = {waits_with_a_small_counter, sets_x});
LF_MODEL_CLIENT(deadlock__small_counter, .threads = {waits_with_a_small_counter});
LF_MODEL_CLIENT(right_three_at_a_lock, .threads = {takes_by_exchange, takes_by_exchange, takes_by_compare});
LF_MODEL_CLIENT(right_three_compare, .threads = {takes_by_compare, takes_by_compare, takes_by_compare});

/* Polling under a lock. */
static void polls(void) {
    for (int done = 0; !done;) {
        pthread_mutex_lock(&m);
        done = heard[0] && heard[1];
        pthread_mutex_unlock(&m);
    }
}
static void says_0(void) {
    pthread_mutex_lock(&m);
    heard[0] = 1;
    pthread_mutex_unlock(&m);
}
static void says_1(void) {
    pthread_mutex_lock(&m);
    heard[1] = 1;
    pthread_mutex_unlock(&m);
}
static void says_1_outside(void) { heard[1] = 1; }
LF_MODEL_CLIENT(right_polls, .threads = {polls, says_0, says_1});
LF_MODEL_CLIENT(right_two_poll, .threads = {polls, polls, says_0, says_1});
LF_MODEL_CLIENT(livelock__nobody_says_1, .threads = {polls, says_0});
LF_MODEL_CLIENT(livelock__two_poll_in_vain, .threads = {polls, polls, says_0});
LF_MODEL_CLIENT(data_race__says_it_outside, .threads = {polls, says_0, says_1_outside});

/* What others see of a turn that undoes itself counts. */
static void blinks(void) {
    while (!atomic_load(&x)) {
        atomic_store(&y, 1);
        atomic_store(&y, 0);
    }
}
static void sees_it_blink(void) {
    if (atomic_load(&y) == 1) {
        atomic_store(&z, 1);
        atomic_store(&x, 1);
    } else {
        atomic_store(&x, 1);
    }
}
static void was_seen(void) { lf_model_assert(!atomic_load(&z)); }
LF_MODEL_CLIENT(assertion_failed__blink_is_seen, .threads = {blinks, sees_it_blink}, .final = was_seen);
static void sees_it_blink_twice(void) {
    int first = atomic_load(&y), second = atomic_load(&y), third = atomic_load(&y);
    if (first == 1 && second == 0 && third == 1)
        atomic_store(&z, 1);
    atomic_store(&x, 1);
}
LF_MODEL_CLIENT(assertion_failed__two_blinks_are_seen, .threads = {blinks, sees_it_blink_twice}, .final = was_seen);
static void beats_until_x(void) {
    while (!atomic_load(&x))
        atomic_store(&beats, 1);
}
LF_MODEL_CLIENT(right_beats, .threads = {beats_until_x, sets_x});
LF_MODEL_CLIENT(deadlock__beats_for_ever, .threads = {beats_until_x});

/* Two that give way to each other for ever; one that is let pass. */
static atomic_int wants[2];
static void enters_politely(int me) {
    atomic_store(&wants[me], 1);
    while (atomic_load(&wants[!me])) {
        atomic_store(&wants[me], 0);
        lf_model_pause();
        atomic_store(&wants[me], 1);
    }
    plain++;
    atomic_store(&wants[me], 0);
}
static void polite_0(void) { enters_politely(0); }
static void polite_1(void) { enters_politely(1); }
static void insists(void) {
    atomic_store(&wants[0], 1);
    while (atomic_load(&wants[1]))
        ;
    plain++;
    atomic_store(&wants[0], 0);
}
LF_MODEL_CLIENT(livelock__both_give_way, .threads = {polite_0, polite_1});
LF_MODEL_CLIENT(right_one_insists, .threads = {insists, polite_1});

static pthread_mutex_t n = PTHREAD_MUTEX_INITIALIZER;
static void takes_both(pthread_mutex_t *first, pthread_mutex_t *second) {
    for (;;) {
        pthread_mutex_lock(first);
        if (pthread_mutex_trylock(second) == 0)
            break;
        pthread_mutex_unlock(first);
    }
    plain++;
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}
static void m_and_n(void) { takes_both(&m, &n); }
static void n_and_m(void) { takes_both(&n, &m); }
LF_MODEL_CLIENT(right_backs_off, .threads = {m_and_n, n_and_m}, .spins = 2);

/* A failed exchange leaves what it found in memory of all: the next turn expects that. */
static struct link {
    struct link *next;
} links[2];
static _Atomic(struct link *) first_link;
static void puts_first(struct link *link) {
    link->next = atomic_load(&first_link);
    while (!atomic_compare_exchange_weak(&first_link, &link->next, link))
        ;
}
static void puts_link_0(void) { puts_first(&links[0]); }
static void puts_link_1(void) { puts_first(&links[1]); }
static void both_are_linked(void) {
    const struct link *head = first_link;
    lf_model_assert(head != NULL && head->next != NULL && head->next != head && head->next->next == NULL);
}
LF_MODEL_CLIENT(right_expects_what_it_found, .threads = {puts_link_0, puts_link_1}, .final = both_are_linked);

/* What a turn looks at is in the argument of the next call, and nowhere else. */
struct step {
    _Atomic(struct step *) next;
};
static struct step steps[3];
static void make_steps(void) {
    atomic_init(&steps[0].next, &steps[1]);
    atomic_init(&steps[1].next, &steps[2]);
}
static void walks_to_the_end(void) {
    struct step *at = &steps[0];
    while ((at = atomic_load_explicit(&at->next, memory_order_acquire)) != NULL)
        ;
}
static void walks_and_says_so(void) {
    walks_to_the_end();
    lf_model_assert(!atomic_load(&x));
}
LF_MODEL_CLIENT(right_walks, .setup = make_steps, .threads = {walks_to_the_end, sets_x});
LF_MODEL_CLIENT(assertion_failed__after_a_walk, .setup = make_steps, .threads = {walks_and_says_so, sets_x});

/* The lock that is tried belongs to somebody who keeps it. */
static pthread_mutex_t kept = PTHREAD_MUTEX_INITIALIZER;
static void keeps(void) { pthread_mutex_lock(&kept); }
static void tries_for_ever(void) {
    for (;;) {
        pthread_mutex_lock(&m);
        if (pthread_mutex_trylock(&kept) == 0)
            break;
        pthread_mutex_unlock(&m);
    }
    pthread_mutex_unlock(&kept);
    pthread_mutex_unlock(&m);
}
LF_MODEL_CLIENT(livelock__kept_for_ever, .threads = {keeps, tries_for_ever}, .spins = 2);
