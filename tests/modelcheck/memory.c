/* Memory that is used too early, too late or by two at once. See test_memory.py for what the names say. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lockfree_model.h"

/* A block is published: a thread that reads it must come after its allocation. */
static _Atomic(int *) box;
static _Atomic(char *) text;
static void opens_relaxed(void) {
    int *p = atomic_load_explicit(&box, memory_order_relaxed);
    if (p != NULL)
        lf_model_assert(*p == 0);
}
static void opens(void) {
    int *p = atomic_load_explicit(&box, memory_order_acquire);
    if (p != NULL)
        lf_model_assert(*p == 0);
}
static void fills_with_zeroes(void) { atomic_store_explicit(&box, calloc(2, sizeof(int)), memory_order_release); }
static void fills_too_openly(void) { atomic_store_explicit(&box, calloc(2, sizeof(int)), memory_order_relaxed); }
static void fills_anew(void) {
    int *p = malloc(sizeof *p);
    *p = 0;
    atomic_store_explicit(&box, realloc(p, 2 * sizeof *p), memory_order_relaxed);
}
static void stores_into_it(void) {
    int *p = atomic_load_explicit(&box, memory_order_relaxed);
    if (p != NULL)
        __atomic_store_n(p, 1, __ATOMIC_RELAXED);
}
static void writes_a_copy(void) { atomic_store_explicit(&text, strdup("abc"), memory_order_relaxed); }
static void reads_the_copy(void) {
    char *p = atomic_load_explicit(&text, memory_order_relaxed);
    if (p != NULL)
        lf_model_assert(p[1] == 'b');
}
LF_MODEL_CLIENT(right_calloc, .threads = {fills_with_zeroes, opens});
LF_MODEL_CLIENT(data_race__calloc, .threads = {fills_too_openly, opens});
LF_MODEL_CLIENT(data_race__calloc_read_relaxed, .threads = {fills_with_zeroes, opens_relaxed});
LF_MODEL_CLIENT(data_race__realloc, .threads = {fills_anew, opens});
LF_MODEL_CLIENT(data_race__atomic_store_into_malloc, .threads = {fills_too_openly, stores_into_it});
LF_MODEL_CLIENT(data_race__strdup, .threads = {writes_a_copy, reads_the_copy});

/* Variables on stacks. */
static atomic_int done, shown;
static _Atomic(int *) local;
static void lends_and_leaves(void) {
    int mine = 1;
    atomic_store(&local, &mine);
}
static void lends_and_waits(void) {
    int mine = 1;
    atomic_store(&local, &mine);
    while (!atomic_load(&done))
        ;
    lf_model_assert(mine == 2);
}
static void lends_and_looks_away(void) {
    int mine = 1;
    atomic_store(&local, &mine);
    while (!atomic_load_explicit(&done, memory_order_relaxed))
        ;
}
static __attribute__((noinline)) void lends_from_within(void) {
    int mine = 1;
    atomic_store(&local, &mine);
}
static void leaves_the_inner(void) {
    lends_from_within();
    atomic_store(&shown, 1);
}
static void borrows(void) {
    int *p = atomic_load(&local);
    if (p != NULL) {
        *p = 2;
        atomic_store(&done, 1);
    }
}
static void borrows_or_gives_up(void) {
    int *p = atomic_load(&local);
    if (p != NULL)
        *p = 2;
    atomic_store(&done, 1);
}
static void waits_to_borrow(void) {
    int *p;
    while ((p = atomic_load(&local)) == NULL)
        ;
    *p = 2;
    atomic_store(&done, 1);
}
static __attribute__((noinline)) void lends_from_an_array(int length) {
    int mine[length];
    for (int i = 0; i < length; i++)
        mine[i] = i;
    atomic_store(&local, &mine[length - 1]);
}
static __attribute__((noinline)) void lends_from_alloca(void) {
    int *mine = __builtin_alloca(sizeof *mine);
    *mine = 1;
    atomic_store(&local, mine);
}
static void leaves_the_array(void) {
    lends_from_an_array(3);
    atomic_store(&shown, 1);
}
static void leaves_alloca(void) {
    lends_from_alloca();
    atomic_store(&shown, 1);
}
static _Thread_local int own;
static void lends_its_own(void) {
    own = 1;
    atomic_store(&local, &own);
}
static void lends_its_own_and_waits(void) {
    lends_its_own();
    while (!atomic_load(&done))
        ;
    lf_model_assert(own == 2);
}
static void lends_its_own_and_looks_away(void) {
    lends_its_own();
    while (!atomic_load_explicit(&done, memory_order_relaxed))
        ;
}
LF_MODEL_CLIENT(right_lends_its_own_and_waits, .threads = {lends_its_own_and_waits, waits_to_borrow});
LF_MODEL_CLIENT(use_after_return__thread_local, .threads = {lends_its_own, borrows});
LF_MODEL_CLIENT(use_after_return__thread_local_not_ordered, .threads = {waits_to_borrow, lends_its_own_and_looks_away});
LF_MODEL_CLIENT(use_after_return__array, .threads = {borrows, leaves_the_array});
LF_MODEL_CLIENT(use_after_return__alloca, .threads = {borrows, leaves_alloca});
LF_MODEL_CLIENT(right_lends_and_waits, .threads = {lends_and_waits, waits_to_borrow});
LF_MODEL_CLIENT(use_after_return__thread, .threads = {lends_and_leaves, borrows});
LF_MODEL_CLIENT(use_after_return__function, .threads = {borrows, leaves_the_inner});
LF_MODEL_CLIENT(use_after_return__not_ordered, .threads = {waits_to_borrow, lends_and_looks_away});
LF_MODEL_CLIENT(use_after_return__atomic, .threads = {lends_and_leaves, borrows_or_gives_up});

static void lends_unwritten(void) {
    int mine;
    atomic_store(&local, &mine);
    while (!atomic_load(&done))
        ;
}
static void reads_it(void) {
    int *p = atomic_load(&local);
    if (p != NULL)
        atomic_store(&shown, *p);
    atomic_store(&done, 1);
}
static _Atomic(atomic_int *) counter;
static void lends_a_counter(void) {
    atomic_int mine;
    atomic_store_explicit(&mine, 1, memory_order_relaxed);
    atomic_store_explicit(&counter, &mine, memory_order_relaxed);
    while (!atomic_load(&done))
        ;
}
static void adds_to_the_counter(void) {
    atomic_int *p = atomic_load_explicit(&counter, memory_order_relaxed);
    if (p != NULL)
        atomic_store(&shown, atomic_load_explicit(p, memory_order_relaxed));
    atomic_store(&done, 1);
}
static void sees_an_unwritten_counter(void) {
    _Atomic(int) *mine = malloc(sizeof *mine);
    if (atomic_load(mine) == 0)
        atomic_store(&shown, 1);
    free(mine);
}
struct pair {
    int first, second;
};
static void looks_at_a_copy(int whole) {
    struct pair *half = malloc(sizeof *half), copy, *again = malloc(sizeof *again);
    half->first = 1;
    memcpy(&copy, half, sizeof copy);
    memcpy(again, &copy, sizeof *again);
    if (again->first == 1 && (!whole || again->second == 3))
        atomic_store(&shown, 1);
    free(half);
    free(again);
}
static void looks_at_the_copied_half(void) { looks_at_a_copy(0); }
static void looks_at_the_other_half(void) { looks_at_a_copy(1); }

LF_MODEL_CLIENT(right_copy_of_a_half, .threads = {looks_at_the_copied_half});
LF_MODEL_CLIENT(uninitialised_read__of_a_copy, .threads = {looks_at_the_other_half});
LF_MODEL_CLIENT(uninitialised_read__stack, .threads = {lends_unwritten, reads_it});
LF_MODEL_CLIENT(uninitialised_read__counter_on_the_stack, .threads = {lends_a_counter, adds_to_the_counter});
LF_MODEL_CLIENT(uninitialised_read__atomic_in_the_heap, .threads = {sees_an_unwritten_counter});

static void copies_unwritten(void) {
    int a, b;
    int *p = malloc(sizeof *p);
    memcpy(&b, &a, sizeof b);
    memcpy(&a, p, sizeof a);
    free(p);
}
LF_MODEL_CLIENT(right_copies_unwritten, .threads = {copies_unwritten});

/* Library functions that read and write. */
static char left[32], right[32];
static void writes_a_byte(void) { left[3] = 1; }
static void writes_a_far_byte(void) { left[20] = 1; }
static void compares(void) { atomic_store(&shown, memcmp(left, right, sizeof left)); }
static void measures(void) { atomic_store(&shown, (int)strlen(left)); }
static void copies(void) { strcpy(right, left); }
static void prints(void) { snprintf(left, sizeof left, "%d", 12345); }
static void prints_briefly(void) { snprintf(left, sizeof left, "%d", 12); }
static void makes_a_short_text(void) { strcpy(left, "abc"); }
LF_MODEL_CLIENT(data_race__memcmp, .threads = {writes_a_byte, compares});
LF_MODEL_CLIENT(data_race__strlen, .setup = makes_a_short_text, .threads = {writes_a_byte, measures});
LF_MODEL_CLIENT(data_race__strcpy, .setup = makes_a_short_text, .threads = {writes_a_byte, copies});
LF_MODEL_CLIENT(data_race__snprintf, .threads = {writes_a_byte, prints});
LF_MODEL_CLIENT(right_strlen_does_not_look_behind_the_end, .setup = makes_a_short_text,
                .threads = {writes_a_far_byte, measures});
LF_MODEL_CLIENT(right_snprintf_writes_what_it_needs, .threads = {writes_a_byte, prints_briefly});

/* Locks that are no more, or not yet. */
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t permits;
static int go;
static void ends_the_mutex(void) {
    pthread_mutex_destroy(&m);
    atomic_store(&done, 1);
}
static void uses_the_mutex(void) {
    if (atomic_load(&done)) {
        pthread_mutex_lock(&m);
        pthread_mutex_unlock(&m);
    }
}
static void makes_the_mutex_anew(void) {
    pthread_mutex_destroy(&m);
    pthread_mutex_init(&m, NULL);
    atomic_store(&done, 1);
}
static void ends_twice(void) {
    pthread_rwlock_destroy(&rw);
    pthread_rwlock_destroy(&rw);
}
static void waits_for_go(void) {
    pthread_mutex_lock(&m);
    while (!go)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}
static void says_go_and_ends(void) {
    pthread_mutex_lock(&m);
    go = 1;
    pthread_cond_broadcast(&c);
    pthread_cond_destroy(&c);
    pthread_mutex_unlock(&m);
}
static void ends_without_a_word(void) {
    pthread_mutex_lock(&m);
    go = 1;
    pthread_cond_destroy(&c);
    pthread_mutex_unlock(&m);
}
static void waits_at_the_barrier(void) { pthread_barrier_wait(&barrier); }
static void makes_it_for_one(void) { pthread_barrier_init(&barrier, NULL, 1); }
static void makes_it_twice(void) {
    pthread_barrier_init(&barrier, NULL, 1);
    pthread_barrier_init(&barrier, NULL, 1);
}
static void waits_after_the_end(void) {
    pthread_barrier_wait(&barrier);
    pthread_barrier_destroy(&barrier);
    pthread_barrier_wait(&barrier);
}
static void makes_permits(void) { sem_init(&permits, 0, 1); }
static void posts_after_the_end(void) {
    sem_destroy(&permits);
    sem_post(&permits);
}
LF_MODEL_CLIENT(misused_lock__mutex, .threads = {ends_the_mutex, uses_the_mutex});
LF_MODEL_CLIENT(right_made_anew, .threads = {makes_the_mutex_anew, uses_the_mutex});
LF_MODEL_CLIENT(misused_lock__ended_twice, .threads = {ends_twice});
LF_MODEL_CLIENT(right_condition_ended_after_the_broadcast, .threads = {waits_for_go, says_go_and_ends});
LF_MODEL_CLIENT(misused_lock__condition_in_use, .threads = {waits_for_go, ends_without_a_word});
LF_MODEL_CLIENT(misused_lock__no_barrier, .threads = {waits_at_the_barrier});
LF_MODEL_CLIENT(misused_lock__barrier_made_twice, .setup = NULL, .threads = {makes_it_twice});
LF_MODEL_CLIENT(misused_lock__barrier_ended, .setup = makes_it_for_one, .threads = {waits_after_the_end});
LF_MODEL_CLIENT(misused_lock__semaphore, .setup = makes_permits, .threads = {posts_after_the_end});

/* Threads are joined once. */
static void *nothing(void *argument) { return argument; }
static void joins_twice(void) {
    pthread_t t;
    pthread_create(&t, NULL, nothing, NULL);
    pthread_join(t, NULL);
    pthread_join(t, NULL);
}
static void joins_a_detached_one(void) {
    pthread_t t;
    pthread_create(&t, NULL, nothing, NULL);
    pthread_detach(t);
    pthread_join(t, NULL);
}
static void detaches_after_the_join(void) {
    pthread_t t;
    pthread_create(&t, NULL, nothing, NULL);
    pthread_join(t, NULL);
    pthread_detach(t);
}
LF_MODEL_CLIENT(bad_join__twice, .threads = {joins_twice});
LF_MODEL_CLIENT(bad_join__detached, .threads = {joins_a_detached_one});
LF_MODEL_CLIENT(bad_join__detached_after, .threads = {detaches_after_the_join});

/* What is lost is a warning. */
static int *kept;
static void loses(void) {
    void *volatile p = malloc(8);
    p = NULL;
}
static void keeps(void) { kept = malloc(16); }
struct chain {
    struct chain *next;
};
static struct chain *first;
static void keeps_a_chain(void) {
    first = malloc(sizeof *first);
    first->next = malloc(sizeof *first);
    first->next->next = NULL;
}
static void loses_the_end_of_a_chain(void) {
    keeps_a_chain();
    first->next = NULL;
}
static void leaves_a_thread(void) {
    pthread_t t;
    pthread_create(&t, NULL, nothing, NULL);
}
LF_MODEL_CLIENT(right_but_loses_8_bytes, .threads = {loses});
LF_MODEL_CLIENT(right_keeps, .threads = {keeps});
LF_MODEL_CLIENT(right_keeps_a_chain, .threads = {keeps_a_chain});
LF_MODEL_CLIENT(right_but_loses_the_end, .threads = {loses_the_end_of_a_chain});
LF_MODEL_CLIENT(right_but_leaves_a_thread, .threads = {leaves_a_thread});

/* What a compare-and-exchange expects lies in memory that others see: it is read, and written on failure. */
static atomic_int word;
static int wanted;
static void exchanges(void) {
    atomic_compare_exchange_strong_explicit(&word, &wanted, 2, memory_order_relaxed, memory_order_relaxed);
}
static void writes_wanted(void) { wanted = 0; }
static void reads_wanted(void) { lf_model_assert(wanted >= 0); }
static void sets_word(void) { atomic_store_explicit(&word, 1, memory_order_relaxed); }
LF_MODEL_CLIENT(data_race__of_the_expected_value, .threads = {exchanges, writes_wanted});
LF_MODEL_CLIENT(data_race__with_the_value_found, .threads = {exchanges, sets_word, reads_wanted});
LF_MODEL_CLIENT(right_expects_what_is_there, .threads = {exchanges, reads_wanted});
