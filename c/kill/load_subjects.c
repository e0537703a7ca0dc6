/* load_subjects.c: one operation of each primitive, and whether its accounts are right when everybody has stopped. */
#include "load.h"

const struct subject *subject;

static union {
    struct lf_handle h;
    struct lf_mpmc_ring ring;
    struct lf_priority_queue queue;
    struct lf_spsc_ring pipe;
    struct lf_mutex mutex;
    struct lf_rlock rlock;
    struct lf_spinlock spinlock;
    struct lf_semaphore semaphore;
    struct lf_barrier barrier;
    struct lf_rwlock rwlock;
    struct lf_condition condition;
    struct lf_event event;
    struct lf_event_count event_count;
    struct lf_latest_value latest;
    struct lf_space space;
    struct lf_broadcast_ring broadcast;
    struct lf_block_pool pool;
    struct lf_arena arena;
    struct lf_message_ring messages;
} object;

struct record {
    uint32_t life;
    uint32_t number;
    uint64_t check;
};

static uint64_t check_of(const struct record *r) {
    return ((uint64_t)r->life << 32 | r->number) * UINT64_C(0x9e3779b97f4a7c15);
}
static uint32_t level_of(const struct record *r) { return r->number % LEVELS; }
static uint64_t until(uint64_t span) { return span == 0 ? 0 : lf_now() + span; }

/* ---- queues ---- */

static int ring_create(uint64_t start) {
    return lf_mpmc_ring_create(&object.ring, NULL, CAPACITY, sizeof(struct record), start);
}
static int ring_put(const struct record *r, uint64_t span) {
    return span == 0 ? lf_mpmc_ring_try_put(&object.ring, r, sizeof *r)
                     : lf_mpmc_ring_put(&object.ring, r, sizeof *r, until(span));
}
static int64_t ring_get(struct record *r, uint64_t span, int lease) {
    uint64_t length;
    if (!lease)
        return span == 0 ? lf_mpmc_ring_try_get(&object.ring, r) : lf_mpmc_ring_get(&object.ring, r, until(span));
    int64_t slot = lf_mpmc_ring_peek(&object.ring, LF_LEASE, &length);
    if (slot < 0)
        return slot;
    memcpy(r, lf_slot_payload(lf_mpmc_ring_slot(&object.ring, (uint64_t)slot)), length);
    return lf_mpmc_ring_release(&object.ring, slot) == LF_OK ? (int64_t)length : LF_CORRUPT;
}

static int queue_create(uint64_t start) {
    return lf_priority_queue_create(&object.queue, NULL, CAPACITY, sizeof(struct record), LEVELS, start);
}
static int queue_put(const struct record *r, uint64_t span) {
    return lf_priority_queue_put(&object.queue, r, sizeof *r, level_of(r), until(span));
}
static int64_t queue_get(struct record *r, uint64_t span, int lease) {
    uint64_t length;
    uint32_t level;
    if (!lease)
        return lf_priority_queue_get(&object.queue, r, &level, until(span));
    int64_t slot = lf_priority_queue_peek(&object.queue, LF_LEASE, &level, &length);
    if (slot < 0)
        return slot;
    memcpy(r, lf_slot_payload(lf_priority_queue_slot(&object.queue, (uint64_t)slot)), length);
    return lf_priority_queue_release(&object.queue, slot) == LF_OK ? (int64_t)length : LF_CORRUPT;
}

static int pipe_create(uint64_t start) {
    return lf_spsc_ring_create(&object.pipe, NULL, CAPACITY, sizeof(struct record), start);
}
static int pipe_put(const struct record *r, uint64_t span) {
    return span == 0 ? lf_spsc_ring_try_put(&object.pipe, r, sizeof *r)
                     : lf_spsc_ring_put(&object.pipe, r, sizeof *r, until(span));
}
static int64_t pipe_get(struct record *r, uint64_t span, int lease) {
    (void)lease;
    return span == 0 ? lf_spsc_ring_try_get(&object.pipe, r) : lf_spsc_ring_get(&object.pipe, r, until(span));
}

static uint32_t last_seen[LIVES][LEVELS]; /* by this process */

void forget_last_seen(void) { memset(last_seen, 0, sizeof last_seen); }

static void note_record(const struct record *r, int64_t length) {
    if (length != (int64_t)sizeof *r || r->life >= LIVES || r->number == 0 || r->number > RECORDS ||
        r->check != check_of(r)) {
        wrong("a get gave a record that nobody wrote");
        return;
    }
    if (r->number > lf_load_acquire(&books->lives[r->life].tried))
        wrong("record %u of life %u came out before it was put", r->number, r->life);
    if (__atomic_fetch_add(&books->seen[r->life][r->number], 1, __ATOMIC_RELAXED) != 0)
        wrong("record %u of life %u came out twice", r->number, r->life);
    uint32_t level = subject->levels > 1 ? level_of(r) : 0, *last = &last_seen[r->life][level];
    if (!leases && r->number <= *last)
        wrong("record %u of life %u came after its record %u", r->number, r->life, *last);
    *last = r->number;
}

static uint64_t patience(uint64_t *state) { return random_number(state) % 4 == 0 ? 1 * MS : 0; }

static void put_one(uint32_t life, uint64_t *state) {
    struct life *me = &books->lives[life];
    struct record r = {life, (uint32_t)me->put + 1, 0};
    if (r.number > RECORDS) {
        lf_nap(100000);
        return;
    }
    r.check = check_of(&r);
    lf_store_release(&me->tried, (uint64_t)r.number);
    int status = subject->put(&r, patience(state));
    if (status == LF_OK)
        lf_store_release(&me->put, (uint64_t)r.number);
    else if (status != LF_FULL && status != LF_INTERRUPTED && status != LF_ROLE_TAKEN)
        wrong("a put was answered %d", status);
}
static void get_one(uint64_t *state) {
    struct record r;
    int64_t length = subject->get(&r, patience(state), leases && random_number(state) % 2);
    if (length >= 0)
        note_record(&r, length);
    else if (length != LF_EMPTY && length != LF_INTERRUPTED && length != LF_ROLE_TAKEN)
        wrong("a get was answered %lld", (long long)length);
}
static void queue_work(uint32_t life, uint64_t *state) {
    if (subject->roles ? life % 2 == 0 : random_number(state) % 2)
        put_one(life, state);
    else
        get_one(state);
}

static void queue_settle(void) {
    struct record r = {0, 0, 0};
    uint64_t missing = 0;
    for (int64_t length; (length = subject->get(&r, 0, 0)) != LF_EMPTY;)
        note_record(&r, length);
    memset(&r, 0, sizeof r);
    for (int i = 0; i < CAPACITY; i++) /* waits for what recovery brings back, which may be a leased record */
        while (subject->put(&r, AT_LAST) != LF_OK) {
            int64_t length = subject->get(&r, 0, 0);
            if (length < 0) {
                wrong("only %d of %d records went in", i, CAPACITY);
                return;
            }
            if (r.number == 0)
                i--;
            else
                note_record(&r, length);
            memset(&r, 0, sizeof r);
        }
    if (subject->put(&r, 0) != LF_FULL)
        wrong("more than %d records went in", CAPACITY);
    for (int i = 0; i < CAPACITY; i++)
        if (subject->get(&r, 0, 0) < 0)
            wrong("only %d of %d records came out", i, CAPACITY);
        else if (r.number != 0)
            note_record(&r, sizeof r);
    for (uint32_t life = 0; life < LIVES; life++)
        for (uint64_t i = 1; i <= books->lives[life].put; i++)
            missing += books->seen[life][i] == 0;
    if (missing > deaths)
        wrong("%llu records are lost, and only %llu processes died", (unsigned long long)missing,
              (unsigned long long)deaths);
}

/* ---- locks ---- */

static int mutex_create(uint64_t start) { return (void)start, lf_mutex_create(&object.mutex, NULL); }
static int spinlock_create(uint64_t start) { return (void)start, lf_spinlock_create(&object.spinlock, NULL); }
static int rlock_create(uint64_t start) { return (void)start, lf_rlock_create(&object.rlock, NULL); }
#define OF_LOCK(call, ...)                                                                                             \
    (subject->kind == &lf_mutex_kind   ? lf_mutex_##call(&object.mutex __VA_ARGS__)                                    \
     : subject->kind == &lf_rlock_kind ? lf_rlock_##call(&object.rlock __VA_ARGS__)                                    \
                                       : lf_spinlock_##call(&object.spinlock __VA_ARGS__))
#define COMMA ,
static int acquire(uint64_t deadline) { return OF_LOCK(acquire, COMMA deadline); }

static void section(uint32_t who, int status) {
    if (status == LF_OWNER_DIED) {
        books->mirror = books->counter;
        lf_store_relaxed(&books->inside, 0u);
        if (OF_LOCK(recover, ) != LF_OK)
            wrong("recover was refused");
    }
    if (lf_exchange_relaxed(&books->inside, who) != 0)
        wrong("two hold the lock");
    if (books->counter != books->mirror)
        wrong("a section was left half-way, and nobody was told");
    books->counter++;
    for (int i = 0; i < 20; i++)
        lf_pause();
    books->mirror++;
    if (lf_exchange_relaxed(&books->inside, 0u) != who)
        wrong("two held the lock");
    if (OF_LOCK(release, ) != LF_OK)
        wrong("release was refused");
}
static void lock_work(uint32_t life, uint64_t *state) {
    int status = acquire(until(random_number(state) % 3 * MS));
    if (status == LF_OK || status == LF_OWNER_DIED)
        section(life + 1, status);
    else if (status != LF_TIMEDOUT && status != LF_INTERRUPTED)
        wrong("acquire was answered %d", status);
}
static void lock_settle(void) {
    int status = acquire(until(AT_LAST));
    if (status != LF_OK && status != LF_OWNER_DIED)
        wrong("nobody lives and holds the lock, and acquire was answered %d", status);
    else
        section(LIVES + 1, status);
}

/* ---- semaphore ---- */

static int semaphore_create(uint64_t start) {
    return lf_semaphore_create(&object.semaphore, NULL, PERMITS, PERMITS, (uint32_t)start);
}
static void semaphore_work(uint32_t life, uint64_t *state) {
    (void)life;
    uint64_t n = 1 + random_number(state) % 3;
    int status = lf_semaphore_acquire(&object.semaphore, n, until(patience(state)));
    if (status == LF_INTERRUPTED)
        lf_semaphore_give_up(&object.semaphore);
    else if (status == LF_OK && (status = lf_semaphore_release(&object.semaphore, n)) != LF_OK)
        wrong("release was answered %d", status);
    else if (status != LF_OK && status != LF_TIMEDOUT)
        wrong("acquire was answered %d", status);
}
static void semaphore_settle(void) {
    int status = lf_semaphore_acquire(&object.semaphore, PERMITS, until(AT_LAST));
    if (status != LF_OK)
        wrong("%lld of %d permits came back", (long long)lf_semaphore_value(&object.semaphore), PERMITS);
    else if (lf_semaphore_value(&object.semaphore) != 0)
        wrong("more permits came back than there are");
}

/* ---- event ---- */

static int event_create(uint64_t start) { return (void)start, lf_event_create(&object.event, NULL); }
static void event_work(uint32_t life, uint64_t *state) {
    uint64_t choice = random_number(state) % 4;
    (void)life;
    int status = choice == 0   ? lf_event_set(&object.event)
                 : choice == 1 ? lf_event_clear(&object.event)
                               : lf_event_wait(&object.event, until(patience(state)));
    if (status != LF_OK && (choice < 2 || (status != LF_TIMEDOUT && status != LF_INTERRUPTED)))
        wrong("a call was answered %d", status);
}
static void event_settle(void) {
    for (int i = 0; i < 4; i++)
        if (lf_event_set(&object.event) != LF_OK || lf_event_wait(&object.event, until(AT_LAST)) != LF_OK ||
            lf_event_clear(&object.event) != LF_OK || lf_event_wait(&object.event, 0) != LF_TIMEDOUT)
            wrong("the flag is not what was written last");
}

/* ---- event_count ---- */

static int event_count_create(uint64_t start) { return (void)start, lf_event_count_create(&object.event_count, NULL); }
static int permit(void *counter) {
    uint64_t n = lf_load_acquire((uint64_t *)counter);
    while (n != 0)
        if (lf_cas_acquire((uint64_t *)counter, &n, n - 1))
            return 1;
    return 0;
}
static int take_permit(uint64_t span) {
    return lf_event_count_wait_until(&object.event_count, permit, &books->counter, until(span));
}
static int give_permit(void) {
    lf_fetch_add_release(&books->counter, (uint64_t)1);
    return lf_event_count_notify(&object.event_count, 1);
}
static void event_count_work(uint32_t life, uint64_t *state) {
    (void)life;
    int status = random_number(state) % 2 ? give_permit() : take_permit(patience(state));
    if (status != LF_OK && status != LF_TIMEDOUT && status != LF_INTERRUPTED)
        wrong("a call was answered %d", status);
}
static void event_count_settle(void) {
    while (take_permit(0) == LF_OK)
        ;
    if (take_permit(MS) != LF_TIMEDOUT)
        wrong("a wait ended, and nobody had notified");
    if (give_permit() != LF_OK || take_permit(AT_LAST) != LF_OK)
        wrong("a wait did not see its condition");
}

/* ---- space: a lock of it, found by its name each time; lives add others beside ---- */

static int space_create(uint64_t start) { return (void)start, lf_space_create(&object.space, NULL, 65536); }
static int space_lock(struct lf_mutex *m, const char *name) {
    int status;
    do
        status = lf_space_mutex(&object.space, m, name);
    while (status == LF_INTERRUPTED);
    return status;
}
/* The counter is guarded by one lock of the space. */
static void space_count(uint32_t life, uint64_t span) {
    struct lf_mutex m;
    int status = space_lock(&m, "guard");
    if (status == LF_OK)
        status = lf_mutex_acquire(&m, until(span));
    if (status == LF_OWNER_DIED)
        status = lf_mutex_recover(&m);
    if (status == LF_OK) {
        uint64_t *holder = &books->counter, was = lf_load_relaxed(holder);
        lf_store_relaxed(holder, (uint64_t)life);
        sched_yield();
        if (lf_load_relaxed(holder) != life)
            wrong("two hold one lock of a space: life %u and %llu, after %llu", life,
                  (unsigned long long)lf_load_relaxed(holder), (unsigned long long)was);
        status = lf_mutex_release(&m);
    }
    if (status != LF_OK && status != LF_TIMEDOUT && status != LF_INTERRUPTED)
        wrong("a lock of a space was answered %d", status);
}
static void space_work(uint32_t life, uint64_t *state) {
    char name[8];
    struct lf_mutex m;
    if (random_number(state) % 16 == 0) {
        snprintf(name, sizeof name, "%u", (unsigned)(random_number(state) % 200));
        int status = space_lock(&m, name);
        if (status != LF_OK)
            wrong("adding to a space was answered %d", status);
    }
    space_count(life, patience(state));
}
static void space_settle(void) {
    char name[8];
    struct lf_mutex m;
    space_count(LIVES + 1, AT_LAST);
    for (unsigned n = 0; n < 200; n++) {
        snprintf(name, sizeof name, "%u", n);
        if (space_lock(&m, name) != LF_OK)
            wrong("name %u stands for no lock", n);
    }
    if (lf_space_left(&object.space) != (int64_t)(65536 - 201 * lf_space_needs(&object.space, LF_KIND_MUTEX)))
        wrong("201 objects, and %lld bytes are left", (long long)lf_space_left(&object.space));
}

/* ---- latest_value: a life that finds the role free writes a record; all read ---- */

static int latest_create(uint64_t start) {
    return (void)start, lf_latest_value_create(&object.latest, NULL, sizeof(struct record), 2);
}
/* A record that is whole. */
static void latest_look(uint64_t *seen) {
    struct record r;
    uint64_t version = 0;
    int64_t length;
    do
        length = lf_latest_value_get(&object.latest, &r, &version);
    while (length == LF_INTERRUPTED);
    if (length == LF_EMPTY)
        return;
    if (length != (int64_t)sizeof r || r.check != check_of(&r))
        wrong("a value is not as it was set: %lld bytes", (long long)length);
    if (version < *seen)
        wrong("version %llu came after version %llu", (unsigned long long)version, (unsigned long long)*seen);
    *seen = version;
}
static void latest_work(uint32_t life, uint64_t *state) {
    static uint64_t seen;
    static uint32_t number;
    uint64_t choice = random_number(state) % 8;
    if (choice < 4) {
        struct record r = {life, ++number, 0};
        r.check = check_of(&r);
        int64_t version = lf_latest_value_set(&object.latest, &r, sizeof r);
        if (version < 0 && version != LF_ROLE_TAKEN)
            wrong("set was answered %lld", (long long)version);
        if (version > 0 && random_number(state) % 64 == 0)
            lf_latest_value_release_role(&object.latest);
    } else if (choice == 4) {
        int status = lf_latest_value_wait(&object.latest, seen, until(patience(state)));
        if (status != LF_OK && status != LF_TIMEDOUT && status != LF_INTERRUPTED)
            wrong("wait was answered %d", status);
    }
    latest_look(&seen);
}
static void latest_settle(void) {
    uint64_t seen = 0;
    latest_look(&seen);
    for (uint32_t n = 1; n <= 4; n++) {
        struct record r = {LIVES + 1, n, 0};
        r.check = check_of(&r);
        int64_t version = lf_latest_value_set(&object.latest, &r, sizeof r);
        if (version != (int64_t)seen + 1)
            wrong("nobody lives and writes, and set was answered %lld after version %llu", (long long)version,
                  (unsigned long long)seen);
        if (lf_latest_value_wait(&object.latest, seen, until(AT_LAST)) != LF_OK)
            wrong("a wait did not see the newer version");
        latest_look(&seen);
    }
}

/* ---- message ring: records padded to several blocks ---- */

enum { PADDED = 100 };
static int messages_create(uint64_t start) {
    return lf_message_ring_create(&object.messages, NULL, 3 * CAPACITY, 64, CAPACITY,
                                  start); /* three blocks for a record */
}
static int messages_put(const struct record *r, uint64_t span) {
    unsigned char message[PADDED] = {0};
    memcpy(message, r, sizeof *r);
    return span == 0 ? lf_message_ring_try_put(&object.messages, message, PADDED)
                     : lf_message_ring_put(&object.messages, message, PADDED, until(span));
}
static int64_t messages_get(struct record *r, uint64_t span, int lease) {
    unsigned char message[PADDED];
    uint64_t length;
    int64_t got;
    if (!lease) {
        got = span == 0 ? lf_message_ring_try_get(&object.messages, message, PADDED)
                        : lf_message_ring_get(&object.messages, message, PADDED, until(span));
    } else if ((got = lf_message_ring_peek(&object.messages, LF_LEASE, &length)) >= 0) {
        got = lf_message_ring_take(&object.messages, got, message, length);
    }
    if (got < 0)
        return got;
    memcpy(r, message, sizeof *r);
    return got == PADDED ? (int64_t)sizeof *r : LF_CORRUPT;
}

/* ---- broadcast ring: a life that finds the role free writes; a life reads if it finds a place ---- */

static int broadcast_create(uint64_t start) {
    return lf_broadcast_ring_create(&object.broadcast, NULL, 1024, 8, LF_SLOW_WAIT, start / 16 * 16);
}
static void broadcast_work(uint32_t life, uint64_t *state) {
    static int64_t place = LF_ROLE_TAKEN;
    static uint32_t reads;
    uint32_t message[24] = {0}, length = 8 + (uint32_t)(random_number(state) % 64);
    if (place < 0 || ++reads % 64 == 0)
        place = lf_broadcast_ring_join(&object.broadcast, place < 0 ? LF_ANY_READER : (uint32_t)place);
    if (random_number(state) % 3 == 0) {
        for (uint32_t i = 0; i < length / 4; i++)
            message[i] = life ^ i;
        int status = lf_broadcast_ring_put(&object.broadcast, message, length / 4 * 4, LF_BROADCAST_TO_ALL,
                                           until(patience(state)));
        if (status == LF_OK)
            lf_broadcast_ring_release_role(&object.broadcast);
        else if (status != LF_FULL && status != LF_ROLE_TAKEN && status != LF_INTERRUPTED)
            wrong("a put was answered %d", status);
    }
    if (place < 0)
        return;
    int64_t got = lf_broadcast_ring_get(&object.broadcast, (uint32_t)place, message, sizeof message,
                                        until(patience(state)));
    if (got < 0 && got != LF_EMPTY && got != LF_INTERRUPTED)
        wrong("a get was answered %lld", (long long)got);
    for (int64_t i = 1; i < got / 4; i++)
        if (message[i] != (message[0] ^ (uint32_t)i))
            wrong("a message is torn");
}
static void broadcast_settle(void) {
    char message[1024];
    for (int i = 0; i < 200; i++)
        if (lf_broadcast_ring_put(&object.broadcast, message, 100, LF_BROADCAST_TO_ALL, until(AT_LAST)) != LF_OK)
            wrong("somebody dead holds the writer back");
    for (uint32_t k = 0; k < 8; k++)
        if (lf_broadcast_ring_join(&object.broadcast, k) != k)
            wrong("a place of the dead is taken");
}

/* ---- condition: a monitor of permits ---- */

static int condition_create(uint64_t start) { return (void)start, lf_condition_create(&object.condition, NULL, 0); }
static int monitor_enter(uint64_t deadline) {
    int status = lf_condition_acquire(&object.condition, deadline);
    return status == LF_OWNER_DIED ? lf_condition_recover(&object.condition) : status;
}
static int monitor_take(uint64_t deadline) {
    int status = monitor_enter(deadline);
    if (status != LF_OK)
        return status;
    while (status == LF_OK && books->counter == 0) {
        status = lf_condition_wait(&object.condition, deadline);
        if (status == LF_OWNER_DIED)
            status = lf_condition_recover(&object.condition);
    }
    if (books->counter != 0) {
        books->counter--;
        status = LF_OK;
    }
    if (lf_condition_release(&object.condition) != LF_OK)
        wrong("release was refused");
    return status;
}
static int monitor_give(void) {
    int status = monitor_enter(until(AT_LAST));
    if (status != LF_OK)
        return status;
    books->counter++;
    if (lf_condition_notify(&object.condition, 1) < 0 || lf_condition_release(&object.condition) != LF_OK)
        wrong("notify or release was refused");
    return LF_OK;
}
static void condition_work(uint32_t life, uint64_t *state) {
    (void)life;
    int status = random_number(state) % 2 ? monitor_give() : monitor_take(until(1 + patience(state)));
    if (status != LF_OK && status != LF_TIMEDOUT && status != LF_INTERRUPTED)
        wrong("a call was answered %d", status);
}
static void condition_settle(void) {
    if (monitor_give() != LF_OK || monitor_take(until(AT_LAST)) != LF_OK)
        wrong("nobody lives, and the monitor cannot be entered");
    lf_reap(&object.h);
    if (lf_waiters_count(&object.condition.body->waiters, LF_WAITERS) != 0)
        wrong("nobody lives, and %u wait", lf_waiters_count(&object.condition.body->waiters, LF_WAITERS));
}

/* ---- block pool ---- */

static int pool_create(uint64_t start) { return lf_block_pool_create(&object.pool, NULL, PERMITS, (uint32_t)start); }
static void pool_work(uint32_t life, uint64_t *state) {
    uint64_t n = 1 + random_number(state) % 3, at;
    uint32_t blocks[PERMITS];
    (void)life;
    int status = lf_block_pool_alloc(&object.pool, blocks, n, until(patience(state)));
    if (status == LF_OK && (status = lf_block_pool_free(&object.pool, blocks, NULL, n, &at)) != LF_OK)
        wrong("free was answered %d", status);
    else if (status != LF_OK && status != LF_EMPTY && status != LF_INTERRUPTED)
        wrong("alloc was answered %d", status);
}
static void pool_settle(void) {
    uint32_t blocks[PERMITS], seen = 0;
    int status = lf_block_pool_alloc(&object.pool, blocks, PERMITS, until(AT_LAST));
    for (int i = 0; status == LF_OK && i < PERMITS; i++)
        seen |= 1u << blocks[i];
    if (status != LF_OK)
        wrong("%lld of %d blocks came back", (long long)lf_block_pool_available(&object.pool), PERMITS);
    else if (seen != (1u << PERMITS) - 1)
        wrong("a block came back twice: %#x", seen);
}

/* ---- barrier: any two meet ---- */

static int barrier_create(uint64_t start) { return (void)start, lf_barrier_create(&object.barrier, NULL, 2); }
static void barrier_work(uint32_t life, uint64_t *state) {
    (void)life;
    int64_t place = lf_barrier_wait(&object.barrier, until(1 + patience(state)));
    if (place == LF_BROKEN)
        place = lf_barrier_reset(&object.barrier);
    if (place < 0 || place > 1)
        wrong("a call was answered %lld", (long long)place);
}
static void barrier_settle(void) {
    uint64_t round;
    if (lf_barrier_reset(&object.barrier) != LF_OK || lf_barrier_waiting(&object.barrier) != 0)
        wrong("nobody lives, and somebody waits");
    for (int64_t i = 0; i < 4; i++)
        if (lf_barrier_arrive(&object.barrier, 0, &round) != i % 2)
            wrong("the places of a round are not 0 and 1");
}

/* ---- reader-writer lock ---- */

static int rwlock_create(uint64_t start) { return (void)start, lf_rwlock_create(&object.rwlock, NULL); }
static void write_within(uint32_t who, int status) {
    if (status == LF_OWNER_DIED) {
        books->mirror = books->counter;
        lf_store_relaxed(&books->inside, 0u);
        if (lf_rwlock_recover(&object.rwlock) != LF_OK)
            wrong("recover was refused");
    }
    if (lf_exchange_relaxed(&books->inside, who) != 0)
        wrong("two write");
    if (books->counter != books->mirror)
        wrong("a write was left half-way, and nobody was told");
    books->counter++;
    for (int i = 0; i < 20; i++)
        lf_pause();
    books->mirror++;
    if (lf_exchange_relaxed(&books->inside, 0u) != who)
        wrong("two wrote");
    if (lf_rwlock_end_write(&object.rwlock) != LF_OK)
        wrong("end_write was refused");
}
static void rwlock_work(uint32_t life, uint64_t *state) {
    uint64_t deadline = until(random_number(state) % 3 * MS);
    int writes = random_number(state) % 3 == 0;
    int status = writes ? lf_rwlock_write(&object.rwlock, deadline) : lf_rwlock_read(&object.rwlock, deadline);
    if (writes && (status == LF_OK || status == LF_OWNER_DIED)) {
        write_within(life + 1, status);
    } else if (status == LF_OK) {
        if (lf_load_relaxed(&books->inside) != 0 || books->counter != books->mirror)
            wrong("a reader beside a writer");
        if (lf_rwlock_end_read(&object.rwlock) != LF_OK)
            wrong("end_read was refused");
    } else if (status == LF_INTERRUPTED) {
        lf_rwlock_give_up(&object.rwlock);
    } else if (status != LF_TIMEDOUT && (writes || status != LF_OWNER_DIED)) {
        wrong("a call was answered %d", status);
    }
}
static void rwlock_settle(void) {
    int status = lf_rwlock_write(&object.rwlock, until(AT_LAST));
    if (status != LF_OK && status != LF_OWNER_DIED)
        wrong("nobody lives and has the lock, and write was answered %d", status);
    else
        write_within(LIVES + 1, status);
}

/* ---- arena ---- */

#define ARENA_PAGES 12u
static int arena_create(uint64_t start) {
    (void)start;
    return lf_arena_create(&object.arena, NULL, ARENA_PAGES * 4096, 64, 0);
}
static void arena_work(uint32_t life, uint64_t *state) {
    uint64_t bytes = 1 + random_number(state) % (random_number(state) % 2 ? 500 : 5 * 4096);
    struct lf_arena_hold hold, other;
    struct lf_arena_handle handle;
    int status = lf_arena_alloc(&object.arena, bytes, 64, until(patience(state)), &hold);
    if (status == LF_EMPTY || status == LF_INTERRUPTED)
        return;
    if (status != LF_OK) {
        wrong("alloc was answered %d", status);
        return;
    }
    memset(hold.address, (int)life, bytes);
    if ((status = lf_arena_promise(&object.arena, &hold, 0, &handle, LF_ARENA_WAIT)) != LF_OK ||
        (status = lf_arena_open(&object.arena, &handle, &other, LF_ARENA_WAIT)) != LF_OK ||
        (status = lf_arena_release(&object.arena, &hold, LF_ARENA_WAIT)) != LF_OK)
        wrong("to open a block once more was answered %d", status);
    else if (other.address[bytes / 2] != (unsigned char)life)
        wrong("somebody else wrote into the block: %d", other.address[bytes / 2]);
    else if ((status = lf_arena_release(&object.arena, &other, LF_ARENA_WAIT)) != LF_OK)
        wrong("release was answered %d", status);
}
static void arena_settle(void) {
    struct lf_arena_hold all;
    int status = lf_arena_alloc(&object.arena, ARENA_PAGES * 4096, 64, until(AT_LAST), &all);
    if (status != LF_OK || object.arena.body->live_blocks != 1 || object.arena.body->live_holds != 1)
        wrong("%llu of %u pages came back (%d)", (unsigned long long)object.arena.body->free_pages, ARENA_PAGES,
              status);
}

static const struct subject subjects[] = {
    {"mpmc_ring", &lf_mpmc_ring_kind, &object.h, ring_create, queue_work, queue_settle, ring_put, ring_get, 1, 0},
    {"priority_queue", &lf_priority_queue_kind, &object.h, queue_create, queue_work, queue_settle, queue_put, queue_get,
     LEVELS, 0},
    {"spsc_ring", &lf_spsc_ring_kind, &object.h, pipe_create, queue_work, queue_settle, pipe_put, pipe_get, 1, 1},
    {"mutex", &lf_mutex_kind, &object.h, mutex_create, lock_work, lock_settle, NULL, NULL, 0, 0},
    {"rlock", &lf_rlock_kind, &object.h, rlock_create, lock_work, lock_settle, NULL, NULL, 0, 0},
    {"spinlock", &lf_spinlock_kind, &object.h, spinlock_create, lock_work, lock_settle, NULL, NULL, 0, 0},
    {"semaphore", &lf_semaphore_kind, &object.h, semaphore_create, semaphore_work, semaphore_settle, NULL, NULL, 0, 0},
    {"message_ring", &lf_message_ring_kind, &object.h, messages_create, queue_work, queue_settle, messages_put,
     messages_get, 1, 0},
    {"broadcast_ring", &lf_broadcast_ring_kind, &object.h, broadcast_create, broadcast_work, broadcast_settle, NULL,
     NULL, 0, 0},
    {"barrier", &lf_barrier_kind, &object.h, barrier_create, barrier_work, barrier_settle, NULL, NULL, 0, 0},
    {"rwlock", &lf_rwlock_kind, &object.h, rwlock_create, rwlock_work, rwlock_settle, NULL, NULL, 0, 0},
    {"condition", &lf_condition_kind, &object.h, condition_create, condition_work, condition_settle, NULL, NULL, 0, 0},
    {"event", &lf_event_kind, &object.h, event_create, event_work, event_settle, NULL, NULL, 0, 0},
    {"event_count", &lf_event_count_kind, &object.h, event_count_create, event_count_work, event_count_settle, NULL,
     NULL, 0, 0},
    {"space", &lf_space_kind, &object.h, space_create, space_work, space_settle, NULL, NULL, 0, 0},
    {"latest_value", &lf_latest_value_kind, &object.h, latest_create, latest_work, latest_settle, NULL, NULL, 0, 0},
    {"block_pool", &lf_block_pool_kind, &object.h, pool_create, pool_work, pool_settle, NULL, NULL, 0, 0},
    {"arena", &lf_arena_kind, &object.h, arena_create, arena_work, arena_settle, NULL, NULL, 0, 0},
};

int choose_subject(const char *primitive) {
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        if (strcmp(subjects[i].name, primitive) == 0)
            subject = &subjects[i];
    return subject != NULL;
}
