/* Segments and participants: published whole or not at all, everything unfit is refused by name, every participant's death
 * is seen and what it held is recovered, once, also when the recoverer dies, and numbers are used again. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdint.h>

static uint32_t fcntl_calls;
#define fcntl(...) (fcntl_calls++, fcntl(__VA_ARGS__))

#include "thing.h"

static const struct lf_kind other_kind = {THING_KIND + 1, thing_view, thing_recover, 0};

static char name[64], path[256];

static int named_file_exists(void) { return access(path, F_OK) == 0; }

static void test_named_segments_are_published_attached_and_unlinked(void) {
    struct thing a, b, c;
    struct stat file;
    CHECK_EQ(lf_segment_create(&a.h, name, &thing_kind, THING_BYTES, geometry), LF_OK);
    CHECK(!named_file_exists());
    CHECK_EQ(lf_segment_attach(&b.h, name, &thing_kind), LF_SYSTEM);
    CHECK_EQ(b.h.error, ENOENT);
    CHECK_EQ(lf_segment_publish(&a.h, name), LF_OK);
    CHECK(stat(path, &file) == 0 && (file.st_mode & 0777) == 0600 && file.st_size == (off_t)THING_BYTES);
    off_t first_page = 4096; /* the identity and the first participants */
    CHECK(file.st_blocks * 512 >= (off_t)(THING_BYTES - LF_BODY_OFFSET) + first_page); /* its space is there */
    CHECK_EQ(lf_segment_attach(&b.h, name, &thing_kind), LF_OK);
    CHECK(a.h.participant != 0 && b.h.participant != 0 && a.h.participant != b.h.participant);
    CHECK(memcmp(b.h.segment->identity.geometry, geometry, sizeof geometry) == 0);
    a.body->stage = 77;
    CHECK_EQ(b.body->stage, 77);
    CHECK_EQ(lf_segment_create(&c.h, name, &thing_kind, THING_BYTES, geometry), LF_OK);
    CHECK_EQ(lf_segment_publish(&c.h, name), LF_SYSTEM); /* taken */
    CHECK_EQ(c.h.error, EEXIST);
    CHECK(c.h.segment == NULL && c.h.fd == -1);
    CHECK_EQ(lf_segment_unlink(&a.h, name), LF_OK);
    CHECK_EQ(lf_segment_unlink(&a.h, name), LF_SYSTEM);
    CHECK_EQ(lf_segment_attach(&c.h, name, &thing_kind), LF_SYSTEM);
    b.body->stage = 78; /* those who are attached go on */
    CHECK_EQ(a.body->stage, 78);
    lf_detach(&a.h);
    lf_detach(&b.h);
    lf_detach(&b.h);
}

static void test_names_are_checked(void) {
    struct thing t;
    char too_long[LF_NAME_MAX + 2];
    const char *wrong[] = {"", "a/b", "/", "../x", too_long};
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_EQ(lf_segment_create(&t.h, wrong[i], &thing_kind, THING_BYTES, geometry), LF_INVALID);
        CHECK_EQ(lf_segment_attach(&t.h, wrong[i], &thing_kind), LF_INVALID);
        CHECK_EQ(lf_segment_unlink(&t.h, wrong[i]), LF_INVALID);
    }
}

static void test_anonymous_segments_travel_as_files(void) {
    struct thing a, b;
    thing_create(&a, NULL);
    CHECK(ftruncate(a.h.fd, 0) != 0); /* sealed: nobody can pull the memory away */
    CHECK_EQ(lf_segment_attach_fd(&b.h, dup(a.h.fd), &thing_kind), LF_OK);
    CHECK(a.h.participant != b.h.participant);
    b.body->stage = 5;
    CHECK_EQ(a.body->stage, 5);
    CHECK_EQ(lf_segment_attach_fd(&b.h, dup(a.h.fd), &other_kind), LF_MISMATCH);
    CHECK_EQ(lf_segment_attach_fd(&b.h, open("/dev/null", O_RDWR), &thing_kind), LF_MISMATCH);
    CHECK_EQ(lf_segment_attach_fd(&b.h, -1, &thing_kind), LF_SYSTEM);
    lf_detach(&a.h);
}

static void refused(const char *field) {
    struct thing t;
    CHECK_EQ(lf_segment_attach(&t.h, name, &thing_kind), LF_MISMATCH);
    if (field != NULL && strcmp(t.h.mismatch, field) != 0) {
        fprintf(stderr, "refused for its %s, not for its %s\n", t.h.mismatch, field);
        abort();
    }
    CHECK(t.h.found != t.h.expected);
    CHECK(t.h.segment == NULL && t.h.fd == -1);
}

static void write_identity(int fd, struct lf_identity identity, int seal) {
    if (seal)
        identity.checksum = lf_identity_checksum(&identity);
    CHECK_EQ(pwrite(fd, &identity, sizeof identity, 0), sizeof identity);
}

static void test_unfit_segments_are_refused(void) {
    struct thing t;
    thing_create(&t, name);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    const struct lf_identity good = t.h.segment->identity;
    lf_detach(&t.h);
    struct lf_identity bad = good;
    bad.magic++;
    write_identity(fd, bad, 1);
    refused("magic");
    bad = good;
    bad.abi_version++;
    write_identity(fd, bad, 1);
    refused("ABI version");
    bad = good;
    bad.kind = other_kind.number;
    write_identity(fd, bad, 1);
    refused("kind");
    bad = good;
    bad.total_bytes += 128;
    write_identity(fd, bad, 1);
    refused("size in bytes");
    for (size_t byte = 0; byte < sizeof good; byte++) { /* any damage is noticed */
        bad = good;
        ((unsigned char *)&bad)[byte] ^= 0x10;
        write_identity(fd, bad, 0);
        refused(NULL);
    }
    write_identity(fd, good, 0);
    off_t sizes[] = {0,
                     1,
                     (off_t)sizeof good,
                     (off_t)LF_BODY_OFFSET - 1,
                     (off_t)LF_BODY_OFFSET,
                     (off_t)THING_BYTES - 1,
                     (off_t)THING_BYTES + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CHECK(ftruncate(fd, sizes[i]) == 0);
        refused(NULL);
    }
    CHECK(ftruncate(fd, (off_t)THING_BYTES) == 0);
    bad = good;
    bad.total_bytes = LF_BODY_OFFSET; /* consistent, but too small for its kind */
    CHECK(ftruncate(fd, (off_t)LF_BODY_OFFSET) == 0);
    write_identity(fd, bad, 1);
    refused("size in bytes for the geometry");
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(write(fd, "not a segment at all", 20) == 20 && ftruncate(fd, 65536) == 0);
    refused("magic");
    close(fd);
    CHECK(unlink(path) == 0);
}

static void test_a_full_memory_is_an_error_at_creation(void) {
    struct thing t;
    CHECK_EQ(lf_segment_create(&t.h, name, &thing_kind, UINT64_C(1) << 60, geometry), LF_SYSTEM);
    CHECK(t.h.error == ENOMEM || t.h.error == ENOSPC || t.h.error == EFBIG);
    CHECK(t.h.segment == NULL && t.h.fd == -1 && !named_file_exists());
}

/* What a killed process leaves: its number is in use, and nobody holds the number's byte. */
static void die(struct thing *t) { CHECK_EQ(munmap(t->h.life, 4096), 0); }

/* One call looks at a few of thousands; all calls of a round look at each once; nobody dead is missed or counted twice. */
static void looks_are_bounded(struct thing *all) {
    struct lf_handle *h = &all[1].h;
    uint32_t pieces = 0, in_all = 0, found = 0, bound = lf__looks_a_piece(LF_PARTICIPANTS - 1);
    int more;
    CHECK(bound * 100 < LF_PARTICIPANTS);
    die(&all[40]);
    die(&all[4000]);
    do {
        fcntl_calls = 0;
        found += (uint32_t)lf_reap_a_while(h, &more);
        CHECK(!more && fcntl_calls <= bound + 5); /* a recovery takes some more */
        CHECK(lf_is_amid_a_round(h) == (h->next_look != 0));
        in_all += fcntl_calls - 1; /* one looks at the mode of the descriptor */
        pieces++;
    } while (lf_is_amid_a_round(h));
    CHECK_EQ(found, 2);
    CHECK(pieces >= LF_PARTICIPANTS / bound && pieces <= LF_PARTICIPANTS / bound + 4);
    CHECK(in_all >= LF_PARTICIPANTS - 3 && in_all < LF_PARTICIPANTS + 20);
    CHECK_EQ(lf_segment_attach(&all[40].h, name, &thing_kind), LF_OK);
    CHECK_EQ(lf_segment_attach(&all[4000].h, name, &thing_kind), LF_OK);
    fcntl_calls = 0;
    h->last_reap = 0;
    CHECK_EQ(lf_reap_if_due(h), 0);
    CHECK(fcntl_calls <= bound + 1 && lf_is_amid_a_round(h));
    for (uint32_t i = 500; i < 600; i++) /* behind and before the place where the round stands */
        die(&all[i]);
    die(&all[2]);
    CHECK_EQ(lf_reap(h), 101); /* a round of its own */
    for (uint32_t i = 500; i < 600; i++)
        CHECK_EQ(lf_segment_attach(&all[i].h, name, &thing_kind), LF_OK);
    CHECK_EQ(lf_segment_attach(&all[2].h, name, &thing_kind), LF_OK);
}

static void a_small_round_is_one_piece(struct thing *t) {
    int more;
    CHECK(t->h.segment->highest < 256);
    CHECK(lf__looks_a_piece(255) > 255);
    CHECK(lf_reap_a_while(&t->h, &more) >= 0 && !lf_is_amid_a_round(&t->h));
}

static void test_4095_participants_and_no_more(void) {
    static struct thing all[LF_PARTICIPANTS];
    struct thing extra;
    unsigned char seen[LF_PARTICIPANTS] = {0};
    thing_create(&all[1], name);
    a_small_round_is_one_piece(&all[1]);
    for (uint32_t i = 2; i < LF_PARTICIPANTS; i++)
        CHECK_EQ(lf_segment_attach(&all[i].h, name, &thing_kind), LF_OK);
    for (uint32_t i = 1; i < LF_PARTICIPANTS; i++) {
        uint32_t number = all[i].h.participant;
        CHECK(number >= 1 && number < LF_PARTICIPANTS && !seen[number]++);
    }
    CHECK_EQ(lf_segment_attach(&extra.h, name, &thing_kind), LF_NO_PARTICIPANT);
    CHECK_EQ(lf_reap(&all[1].h), 0);
    looks_are_bounded(all);
    uint32_t freed = all[100].h.participant;
    lf_detach(&all[100].h);
    CHECK_EQ(lf_segment_attach(&extra.h, name, &thing_kind), LF_OK);
    CHECK_EQ(extra.h.participant, freed);
    CHECK_EQ(extra.body->recovered[freed], 1); /* by itself, when it left */
    lf_detach(&extra.h);
    for (uint32_t i = 1; i < LF_PARTICIPANTS; i++)
        if (i != 100)
            lf_detach(&all[i].h);
    CHECK(unlink(path) == 0);
}

static void child_joins_and_stays(void *argument) {
    struct thing *t = (struct thing *)argument;
    CHECK_EQ(lf_after_fork(&t->h), LF_OK);
    lf_store_release(&t->body->stage, t->h.participant);
    for (;;)
        pause();
}
static uint32_t number_of(struct thing *t) {
    uint32_t number;
    while ((number = lf_load_acquire(&t->body->stage)) == 0)
        check_sleep(100000);
    t->body->stage = 0;
    return number;
}

static void test_deaths_are_seen_and_recovered_once(void) {
    struct thing t, second;
    thing_create(&t, NULL);
    CHECK_EQ(lf_segment_attach_fd(&second.h, dup(t.h.fd), &thing_kind), LF_OK);
    pid_t child = check_fork(child_joins_and_stays, &t);
    uint32_t number = number_of(&t);
    CHECK(number != t.h.participant && number != second.h.participant);
    CHECK_EQ(lf_reap(&t.h), 0);
    CHECK_EQ(lf_reap_one(&t.h, number), 0);
    check_kill(child);
    CHECK_EQ(lf_reap_one(&t.h, 0), 0);
    CHECK_EQ(lf_reap_one(&t.h, LF_PARTICIPANTS), 0);
    CHECK_EQ(lf_reap_one(&t.h, second.h.participant), 0);
    CHECK_EQ(lf_reap_one(&t.h, t.h.participant), 0);
    CHECK_EQ(lf_reap_one(&t.h, number), 1);
    CHECK_EQ(lf_reap_one(&t.h, number), 0);
    CHECK_EQ(lf_reap(&second.h), 0);
    CHECK_EQ(t.body->recovered[number], 1);
    child = check_fork(child_joins_and_stays, &t);
    CHECK_EQ(number_of(&t), number); /* used again */
    check_kill(child);
    CHECK_EQ(lf_reap(&second.h), 1);
    CHECK_EQ(t.body->recovered[number], 2);
    lf_detach(&second.h);
    lf_detach(&t.h);
}

static void test_a_joiner_that_takes_a_dead_number_recovers_it_first(void) {
    struct thing t, second;
    thing_create(&t, NULL);
    pid_t child = check_fork(child_joins_and_stays, &t);
    uint32_t number = number_of(&t);
    check_kill(child);
    CHECK_EQ(lf_segment_attach_fd(&second.h, dup(t.h.fd), &thing_kind), LF_OK);
    CHECK_EQ(second.h.participant, number);
    CHECK_EQ(t.body->recovered[number], 1);
    CHECK_EQ(lf_reap(&t.h), 0);
    lf_detach(&second.h);
    lf_detach(&t.h);
}

static void child_recovers(void *argument) {
    struct thing *t = (struct thing *)argument;
    CHECK_EQ(lf_after_fork(&t->h), LF_OK);
    lf_reap(&t->h);
    for (;;)
        pause();
}

static void test_a_recoverer_that_dies_is_followed_by_the_next(void) {
    struct thing t;
    thing_create(&t, NULL);
    pid_t child = check_fork(child_joins_and_stays, &t);
    uint32_t number = number_of(&t);
    pid_t bystander = check_fork(child_joins_and_stays, &t); /* so that the recoverer takes another number */
    number_of(&t);
    check_kill(child);
    t.body->die_in_recovery = number;
    child = check_fork(child_recovers, &t); /* takes the dead one's number, and dies in recovering it */
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_EQ(t.body->recovered[number], 0);
    CHECK_EQ(lf_reap(&t.h), 1);
    CHECK_EQ(t.body->recovered[number], 1);
    check_kill(bystander);
    lf_detach(&t.h);
}

static void child_forks_and_both_stay(void *argument) {
    struct thing *t = (struct thing *)argument;
    CHECK_EQ(lf_after_fork(&t->h), LF_OK);
    lf_store_release(&t->body->stage, t->h.participant);
    while (lf_load_acquire(&t->body->stage) != 0)
        check_sleep(100000);
    child_joins_and_stays(fork() == 0 ? t : (pause(), t));
}

/* A parent's death is seen although its child, forked from it, lives on. */
static void test_fork_gives_the_child_a_life_of_its_own(void) {
    struct thing t;
    thing_create(&t, NULL);
    pid_t parent = check_fork(child_forks_and_both_stay, &t);
    uint32_t parents = number_of(&t), childs = number_of(&t);
    uint32_t childs_pid = t.h.segment->participants[childs].pid;
    CHECK(parents != childs);
    CHECK_EQ(lf_reap(&t.h), 0);
    check_kill(parent);
    CHECK_EQ(lf_reap(&t.h), 1);
    CHECK_EQ(t.body->recovered[parents], 1);
    CHECK_EQ(t.body->recovered[childs], 0);
    CHECK_EQ(kill((pid_t)childs_pid, SIGKILL), 0); /* it is init's child now: nobody here can wait for it */
    for (int i = 0; i < 2000 && t.body->recovered[childs] == 0; i++) {
        check_sleep(1000000);
        lf_reap(&t.h);
    }
    CHECK_EQ(t.body->recovered[childs], 1);
    lf_detach(&t.h);
}

static void child_creates_and_dies_before_publishing(void *unused) {
    struct thing t;
    (void)unused;
    CHECK_EQ(lf_segment_create(&t.h, name, &thing_kind, THING_BYTES, geometry), LF_OK);
    raise(SIGKILL);
}

static void test_a_creator_killed_half_way_leaves_nothing(void) {
    int status;
    pid_t child = check_fork(child_creates_and_dies_before_publishing, NULL);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK(!named_file_exists());
}

static void test_only_abandoned_segments_are_swept(void) {
    struct thing t, sweeper;
    thing_create(&t, name);
    CHECK_EQ(lf_segment_open(&sweeper.h, name, NULL), LF_OK);
    CHECK(lf_segment_in_use(&sweeper.h));
    CHECK_EQ(lf_segment_sweep(&sweeper.h, name), 0);
    CHECK(named_file_exists());
    lf_detach(&t.h);
    CHECK(!lf_segment_in_use(&sweeper.h));
    CHECK_EQ(lf_segment_sweep(&sweeper.h, name), 1);
    CHECK(!named_file_exists());
    lf_segment_unmap(&sweeper.h);
}

static void attach_while_it_is_swept(void *argument) {
    long rounds = *(long *)argument;
    for (long i = 0; i < rounds; i++) {
        struct thing t;
        int status = lf_segment_attach(&t.h, name, &thing_kind);
        if (status == LF_OK) {
            struct stat file;
            CHECK(fstat(t.h.fd, &file) == 0 && file.st_nlink == 1); /* held, so it stays */
            lf_detach(&t.h);
        } else {
            CHECK_EQ(status, LF_SYSTEM);
            CHECK_EQ(t.h.error, ENOENT);
        }
    }
}

static void test_attaching_and_sweeping_at_once(void) {
    long rounds = check_rounds(1500), swept = 0;
    pid_t child = check_fork(attach_while_it_is_swept, &rounds);
    for (long i = 0; i < rounds; i++) {
        struct thing t, sweeper;
        thing_create(&t, name);
        lf_detach(&t.h);
        CHECK_EQ(lf_segment_open(&sweeper.h, name, NULL), LF_OK);
        int status;
        while ((status = lf_segment_sweep(&sweeper.h, name)) == 0)
            sched_yield();
        CHECK_EQ(status, 1);
        lf_segment_unmap(&sweeper.h);
        swept++;
    }
    check_join(child);
    CHECK_EQ(swept, rounds);
    CHECK(!named_file_exists());
}

int main(void) {
    snprintf(name, sizeof name, "test-segment-%d", (int)getpid());
    CHECK_EQ(lf_segment_path(path, name), LF_OK);
    test_named_segments_are_published_attached_and_unlinked();
    test_names_are_checked();
    test_anonymous_segments_travel_as_files();
    test_unfit_segments_are_refused();
    test_a_full_memory_is_an_error_at_creation();
    test_4095_participants_and_no_more();
    test_deaths_are_seen_and_recovered_once();
    test_a_joiner_that_takes_a_dead_number_recovers_it_first();
    test_a_recoverer_that_dies_is_followed_by_the_next();
    if (advice_is_followed())
        test_fork_gives_the_child_a_life_of_its_own();
    test_a_creator_killed_half_way_leaves_nothing();
    test_only_abandoned_segments_are_swept();
    test_attaching_and_sweeping_at_once();
    return 0;
}
