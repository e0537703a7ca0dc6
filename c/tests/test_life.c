/* The life of a participant: no fork, heir or closed descriptor keeps a dead one alive, or takes a living one's place;
 * and a recovery in pieces is done once, by any that come. */
#include "thing.h"

#include <sys/syscall.h>
#include <sys/wait.h>

static char name[64], path[256];

/* ---- forks ---- */

/* A fork that runs no hook: neither the C library's nor anybody's. */
static pid_t fork_below_everything(void) {
    if (!advice_is_followed())
        return fork();
    return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void test_a_child_joins_at_its_first_use(pid_t (*fork_somehow)(void)) {
    struct thing t;
    thing_create(&t, NULL);
    uint32_t parents = t.h.participant;
    pid_t child = fork_somehow();
    if (child == 0) {
        alarm(CHECK_STUCK_S);
        int status = lf_enter(&t.h);
        t.body->stage = t.h.participant;
        _exit(status == LF_OK && t.h.participant != parents ? 0 : 1);
    }
    check_join(child);
    CHECK(t.body->stage != 0 && t.body->stage != parents);
    CHECK_EQ(t.h.participant, parents);
    CHECK_EQ(lf_enter(&t.h), LF_OK);
    CHECK_EQ(lf_reap(&t.h), 1); /* the child */
    CHECK_EQ(t.body->recovered[parents], 0);
    lf_detach(&t.h);
}

/* Neither its exit nor its closing gives back what is the parent's; it never used the object. */
static void test_a_child_that_never_joined_takes_nothing_away(void) {
    for (int closes = 0; closes < 2; closes++) {
        struct thing t, other;
        thing_create(&t, name);
        pid_t child = fork_below_everything();
        if (child == 0) {
            if (closes) {
                lf_close(&t.h, NULL, 0);
                lf_detach(&t.h);
            }
            _exit(0);
        }
        check_join(child);
        CHECK_EQ(lf_segment_attach(&other.h, name, &thing_kind), LF_OK);
        CHECK_EQ(lf_reap(&other.h), 0);
        CHECK_EQ(t.body->recovered[t.h.participant], 0);
        lf_detach(&other.h);
        CHECK_EQ(lf_segment_unlink(&t.h, name), LF_OK);
        lf_detach(&t.h);
    }
}

/* A parent dies; its child, which has not used the object, and a program that inherited the descriptor live on. */
static void test_nobody_hides_a_death(int heir_is_a_program) {
    struct thing t;
    thing_create(&t, NULL);
    pid_t parent = fork();
    CHECK(parent >= 0);
    if (parent == 0) {
        alarm(CHECK_STUCK_S);
        CHECK_EQ(lf_enter(&t.h), LF_OK);
        pid_t heir = fork_below_everything();
        if (heir == 0 && heir_is_a_program) {
            fcntl(t.h.fd, F_SETFD, 0);
            execlp("sleep", "sleep", "60", (char *)NULL);
            _exit(127);
        }
        if (heir == 0)
            pause();
        t.body->pieces_done = 0;
        lf_store_release(&t.body->stage, (uint32_t)heir);
        pause();
    }
    while (lf_load_acquire(&t.body->stage) == 0)
        check_sleep(100000);
    check_sleep(20000000); /* the heir may be on its way to another program */
    CHECK_EQ(lf_reap(&t.h), 0);
    check_kill(parent);
    CHECK_EQ(lf_reap(&t.h), 1);
    CHECK_EQ(kill((pid_t)t.body->stage, SIGKILL), 0);
    lf_detach(&t.h);
}

/* ---- descriptors ---- */

static void close_all(void) {
    for (int fd = 3; fd < 64; fd++)
        close(fd);
}

static void test_a_closed_descriptor_is_found_again(const char *named) {
    struct thing t, dead;
    thing_create(&t, named);
    CHECK_EQ(lf_segment_attach_fd(&dead.h, dup(t.h.fd), &thing_kind), LF_OK);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_EQ(lf_enter(&dead.h), LF_OK);
        raise(SIGKILL);
    }
    CHECK_EQ(waitpid(child, NULL, 0), child);
    close_all();
    int other = open("/dev/null", O_RDWR); /* the number means something else now */
    CHECK_EQ(other, 3);
    CHECK_EQ(lf_reap(&t.h), 1);
    CHECK(t.h.fd > other && lf__is_file_of(&t.h, t.h.fd));
    CHECK_EQ(t.body->recovered[t.h.participant], 0); /* and it never looked dead to itself or the others */
    CHECK_EQ(lf_reap(&dead.h), 0);
    lf_detach(&dead.h);
    if (named != NULL)
        CHECK_EQ(lf_segment_unlink(&t.h, named), LF_OK);
    lf_detach(&t.h);
    CHECK(fcntl(other, F_GETFD) >= 0); /* not closed with it */
    close(other);
}

/* The number leads to a file of the program's, larger than the segment: nothing is written to it, locked or closed. */
static void test_a_file_that_took_the_number_is_left_alone(void) {
    struct thing t;
    thing_create(&t, NULL);
    close(t.h.fd);
    int users = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    CHECK_EQ(users, t.h.fd);
    CHECK_EQ(ftruncate(users, 4 * (off_t)THING_BYTES), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_EQ(lf_enter(&t.h), LF_OK);
        t.body->stage = 7;
        lf_detach(&t.h);
        _exit(fcntl(users, F_GETFD) >= 0 ? 0 : 1);
    }
    check_join(child);
    CHECK_EQ(t.body->stage, 7);
    lf_detach(&t.h);
    CHECK(fcntl(users, F_GETFD) >= 0);
    CHECK_EQ(lseek(users, 0, SEEK_DATA), -1); /* it is one hole */
    close(users);
}

static void test_the_standard_descriptors_are_never_taken(void) {
    struct thing t, other;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int saved = fcntl(2, F_DUPFD, 10);
        close(0), close(1), close(2);
        thing_create(&t, name);
        int wrong = t.h.fd <= 2 || lf_segment_attach(&other.h, name, &thing_kind) != LF_OK || other.h.fd <= 2;
        wrong |= lf_segment_unlink(&t.h, name) != LF_OK || fcntl(0, F_GETFD) >= 0 || fcntl(1, F_GETFD) >= 0;
        dup2(saved, 2);
        _exit(wrong);
    }
    check_join(child);
}

/* Nobody has the file open, and the kernel shows nobody the way: that is said, and nothing is taken for dead. */
static void test_a_lost_descriptor_is_reported(void) {
    struct thing t;
    thing_create(&t, NULL);
    close(t.h.fd);
    uint64_t inode = t.h.inode;
    t.h.inode = inode + 1; /* no file of this machine */
    CHECK_EQ(lf_reap(&t.h), LF_LOST);
    CHECK_EQ(lf_reap_one(&t.h, 2), LF_LOST);
    CHECK(t.h.fd == -1);
    t.h.inode = inode;
    CHECK_EQ(lf_reap(&t.h), 0);
    lf_detach(&t.h);
}

/* ---- names and notes ---- */

static void test_a_stale_unlink_leaves_the_next_one_alone(void) {
    struct thing first, second;
    thing_create(&first, name);
    CHECK_EQ(unlink(path), 0);
    thing_create(&second, name);
    CHECK_EQ(lf_segment_unlink(&first.h, name), LF_SYSTEM);
    CHECK_EQ(first.h.error, ENOENT);
    CHECK(access(path, F_OK) == 0);
    CHECK_EQ(lf_segment_unlink(&second.h, name), LF_OK);
    lf_detach(&first.h);
    lf_detach(&second.h);
}

static void test_a_note_is_checked(void) {
    static char text[LF_NOTE + 1];
    struct thing t, other;
    memset(text, 'n', sizeof text);
    CHECK_EQ(lf_segment_create(&t.h, name, &thing_kind, THING_BYTES, geometry), LF_OK);
    CHECK_EQ(lf_segment_write_note(&t.h, text, LF_NOTE + 1), LF_TOO_LONG);
    CHECK_EQ(lf_segment_write_note(&t.h, text, LF_NOTE), LF_OK);
    CHECK_EQ(lf_segment_publish(&t.h, name), LF_OK);
    CHECK_EQ(lf_segment_attach(&other.h, name, &thing_kind), LF_OK);
    CHECK_EQ(other.h.segment->identity.note_bytes, LF_NOTE);
    lf_detach(&other.h);
    t.h.segment->note[5000] = 'm';
    CHECK_EQ(lf_segment_attach(&other.h, name, &thing_kind), LF_MISMATCH);
    CHECK(strcmp(other.h.mismatch, "checksum of the note") == 0);
    struct lf_identity *identity = &t.h.segment->identity;
    identity->note_bytes = LF_NOTE + 1;
    identity->checksum = lf_identity_checksum(identity);
    CHECK_EQ(lf_segment_attach(&other.h, name, &thing_kind), LF_MISMATCH);
    CHECK_EQ(other.h.found, LF_NOTE + 1);
    CHECK_EQ(lf_segment_unlink(&t.h, name), LF_OK);
    lf_detach(&t.h);
}

/* ---- pieces ---- */

static void test_a_recovery_is_done_in_pieces_by_any_participant(void) {
    struct thing t, second;
    int more;
    thing_create(&t, NULL);
    CHECK_EQ(lf_segment_attach_fd(&second.h, dup(t.h.fd), &thing_kind), LF_OK);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_EQ(lf_enter(&t.h), LF_OK);
        t.body->stage = t.h.participant;
        raise(SIGKILL);
    }
    CHECK_EQ(waitpid(child, NULL, 0), child);
    uint32_t gone = t.body->stage;
    t.body->pieces = 4;
    CHECK(lf_reap_a_while(&t.h, &more) == 1 && more);
    CHECK(lf_reap_a_while(&second.h, &more) == 1 && more);
    CHECK_EQ(lf_reap_one(&t.h, gone), 1);
    CHECK_EQ(t.body->recovered[gone], 0);
    CHECK_EQ(lf_reap(&second.h), 1);
    CHECK_EQ(t.body->recovered[gone], 1);
    CHECK(lf_reap_a_while(&t.h, &more) == 0 && !more);
    /* a leaver leaves what takes longer to the others, as if it had died */
    uint32_t left = second.h.participant;
    lf_detach(&second.h);
    CHECK_EQ(t.body->recovered[left], 0);
    CHECK_EQ(lf_reap(&t.h), 1);
    CHECK_EQ(t.body->recovered[left], 1);
    t.body->pieces = 0;
    lf_detach(&t.h);
}

/* ---- many dead ---- */

enum { SLOTS = 1024, CROWD = 200 };
struct shelf {
    uint64_t looks; /* at slots, by recoveries */
    uint32_t holder[SLOTS];
};
#define SHELF_BYTES (LF_BODY_OFFSET + lf_round_up(sizeof(struct shelf), LF_CACHE_LINE))

static int shelf_view(struct lf_handle *h) { return h->bytes == SHELF_BYTES ? LF_OK : LF_MISMATCH; }
/* A quarter of the slots in each piece. */
static int shelf_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct shelf *shelf = (struct shelf *)(void *)h->body;
    struct lf_gone who = lf_who_is_gone(h, gone);
    for (uint64_t end = *cursor + SLOTS / 4; *cursor < end; ++*cursor) {
        shelf->looks++;
        if (shelf->holder[*cursor] != 0 && lf_is_gone(&who, shelf->holder[*cursor]))
            shelf->holder[*cursor] = 0;
    }
    return *cursor == SLOTS;
}
static const struct lf_kind together = {THING_KIND, shelf_view, shelf_recover, 1};
static const struct lf_kind one_by_one = {THING_KIND, shelf_view, shelf_recover, 0}; /* the bad example */

/* How many slots a recovery of so many dead looks at, each of whom held one. */
static uint64_t looks_for_a_crowd(const struct lf_kind *kind) {
    struct lf_handle h;
    CHECK_EQ(lf_segment_create(&h, NULL, kind, SHELF_BYTES, geometry), LF_OK);
    CHECK_EQ(lf_segment_publish(&h, NULL), LF_OK);
    struct shelf *shelf = (struct shelf *)(void *)h.body;
    shelf->holder[0] = h.participant;
    pid_t children[CROWD];
    int go[2];
    char byte;
    CHECK(pipe(go) == 0);
    for (int i = 0; i < CROWD; i++) {
        if ((children[i] = fork()) == 0) {
            close(go[1]);
            if (lf_enter(&h) == LF_OK)
                shelf->holder[1 + i] = h.participant;
            while (read(go[0], &byte, 1) > 0) /* all live at once, so that each has a number of its own */
                ;
            _exit(0);
        }
    }
    while (lf_load_relaxed(&h.segment->highest) < CROWD + 1)
        lf_nap(1000000);
    close(go[0]);
    close(go[1]);
    for (int i = 0; i < CROWD; i++)
        check_join(children[i]);
    CHECK_EQ(lf_reap_one(&h, 100), 1); /* somebody has done a part for one of them: it is as far as nobody else */
    shelf->looks = 0;
    CHECK_EQ(lf_reap(&h), CROWD);
    CHECK_EQ(lf_reap(&h), 0);
    CHECK_EQ(shelf->holder[0], h.participant);
    for (int i = 1; i < SLOTS; i++)
        CHECK_EQ(shelf->holder[i], 0);
    for (uint32_t number = 1; number <= CROWD + 1; number++)
        CHECK_EQ(h.segment->participants[number].in_use, number == h.participant);
    uint64_t looks = shelf->looks;
    lf_detach(&h);
    return looks;
}
static void test_a_recovery_of_many_looks_once_for_all(void) {
    CHECK(looks_for_a_crowd(&together) <= 3 * SLOTS); /* those before number 100, it, and those after */
    CHECK(looks_for_a_crowd(&one_by_one) > (CROWD - 1) * (uint64_t)SLOTS);
}

int main(void) {
    snprintf(name, sizeof name, "test-life-%d", (int)getpid());
    CHECK_EQ(lf_segment_path(path, name), LF_OK);
    test_a_child_joins_at_its_first_use(fork);
    test_a_child_joins_at_its_first_use(fork_below_everything);
    test_a_child_that_never_joined_takes_nothing_away();
    if (advice_is_followed()) {
        test_nobody_hides_a_death(0);
        test_nobody_hides_a_death(1);
    }
    test_a_closed_descriptor_is_found_again(NULL);
    test_a_closed_descriptor_is_found_again(name);
    test_a_file_that_took_the_number_is_left_alone();
    test_the_standard_descriptors_are_never_taken();
    test_a_lost_descriptor_is_reported();
    test_a_stale_unlink_leaves_the_next_one_alone();
    test_a_note_is_checked();
    test_a_recovery_is_done_in_pieces_by_any_participant();
    test_a_recovery_of_many_looks_once_for_all();
    return 0;
}
