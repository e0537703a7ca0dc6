/* One cell, several handles: what one writes the others read, and a wrong type is refused. */
#include <lockfree/atomic.h>

#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { ADDERS = 4, ADDITIONS = 20000 };

static void *add(void *argument) {
    struct lf_atomic_cell *cell = (struct lf_atomic_cell *)argument;
    for (int i = 0; i < ADDITIONS; i++)
        lf_fetch_add_relaxed(cell->value, (uint64_t)1);
    return NULL;
}

static void test_threads_lose_no_addition(void) {
    struct lf_atomic_cell cell;
    pthread_t threads[ADDERS];
    CHECK(lf_atomic_cell_create(&cell, NULL, LF_CELL_U64, UINT64_MAX - 5) == LF_OK);
    for (int i = 0; i < ADDERS; i++)
        CHECK(pthread_create(&threads[i], NULL, add, &cell) == 0);
    for (int i = 0; i < ADDERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(lf_load_relaxed(cell.value) == (uint64_t)ADDERS * ADDITIONS - 6); /* it wrapped */
    lf_detach(&cell.h);
}

static void test_processes_share_it_by_name(void) {
    struct lf_atomic_cell cell;
    char name[64];
    snprintf(name, sizeof name, "test-cell-%d", (int)getpid());
    CHECK(lf_atomic_cell_create(&cell, name, LF_CELL_U64, 0) == LF_OK);
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            struct lf_atomic_cell mine;
            CHECK(lf_atomic_cell_attach(&mine, name) == LF_OK);
            add(&mine);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status;
        CHECK(wait(&status) > 0 && status == 0);
    }
    CHECK(lf_load_acquire(cell.value) == 2 * (uint64_t)ADDITIONS);
    CHECK(lf_segment_unlink(&cell.h, name) == LF_OK);
    lf_detach(&cell.h);
}

static void test_a_type_that_does_not_exist_is_refused(void) {
    struct lf_atomic_cell cell, other;
    CHECK(lf_atomic_cell_create(&cell, NULL, LF_CELL_U32, 1) == LF_OK);
    cell.h.segment->identity.geometry[0] = 77;
    cell.h.segment->identity.checksum = lf_identity_checksum(&cell.h.segment->identity);
    CHECK(lf_atomic_cell_attach_fd(&other, dup(cell.h.fd)) == LF_MISMATCH);
    CHECK(other.h.found == 77);
    lf_detach(&cell.h);
}

int main(void) {
    test_threads_lose_no_addition();
    test_processes_share_it_by_name();
    test_a_type_that_does_not_exist_is_refused();
    return 0;
}
