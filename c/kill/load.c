/* load.c: kills processes at random moments while several of them work at full speed on two or more processors.
 *
 *   load PRIMITIVE ROUNDS SEED
 *
 * One round: several workers load a new object. Each is a process with a participant of its own. Some are killed at
 * random moments and replaced. The others must go on (watchdog). When they have stopped, the accounts must be right:
 * nothing came out twice, in the wrong order, or without having been put; no more is missing than the dead had in hand;
 * capacity, permits, roles and locks are all back. Prints one line of JSON. Exit status 1: something was wrong. */
#include "load.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static uint64_t rng, operations_of_all;

static pid_t give_life(uint32_t life) {
    pid_t process = fork();
    if (process != 0)
        return process;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    uint64_t state = rng + life * UINT64_C(0x9e3779b9);
    int fd = dup(subject->handle->fd);
    if (lf_segment_attach_fd(subject->handle, fd, subject->kind) != LF_OK) {
        wrong("life %u cannot attach", life);
        _exit(1);
    }
    forget_last_seen();
    lf_store_release(&books->lives[life].at_work, 1u);
    while (!lf_load_acquire(&books->stop) && !lf_load_relaxed(&books->wrong)) {
        subject->work(life, &state);
        lf_store_relaxed(&books->lives[life].operations, books->lives[life].operations + 1);
    }
    lf_detach(subject->handle);
    _exit(0);
}

static int every_survivor_goes_on(const pid_t *processes, uint32_t lives) {
    uint64_t before[LIVES], end = lf_now() + WATCHDOG;
    for (uint32_t i = 0; i < lives; i++)
        before[i] = lf_load_relaxed(&books->lives[i].operations);
    for (uint32_t i = 0; i < lives; i++)
        while (processes[i] > 0 && !lf_load_relaxed(&books->wrong) &&
               lf_load_relaxed(&books->lives[i].operations) < before[i] + 3) {
            if (lf_now() > end) {
                wrong("life %u makes no progress", i);
                return 0;
            }
            lf_nap(20000);
        }
    return 1;
}

static void run_round(void) {
    pid_t processes[LIVES] = {0};
    uint32_t lives = 0;
    static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 50, (UINT64_C(1) << 46) - 50, (UINT64_C(1) << 23) - 50};
    memset(books, 0, sizeof *books);
    forget_last_seen();
    deaths = 0;
    leases = random_number(&rng) % 2 == 0;
    if (subject->create(starts[random_number(&rng) % 4]) != LF_OK) {
        wrong("the object cannot be created");
        return;
    }
    while (lives < WORKERS) {
        processes[lives] = give_life(lives);
        lives++;
    }
    for (uint32_t kills = 1 + (uint32_t)(random_number(&rng) % 4); kills > 0 && lives < LIVES; kills--) {
        uint32_t doomed = (uint32_t)(random_number(&rng) % lives);
        if (processes[doomed] <= 0)
            continue;
        while (!lf_load_acquire(&books->lives[doomed].at_work) && !lf_load_relaxed(&books->wrong))
            lf_nap(10000);
        lf_nap(1 + random_number(&rng) % 400000);
        kill(processes[doomed], SIGKILL);
        waitpid(processes[doomed], NULL, 0);
        processes[doomed] = 0;
        deaths++;
        uint32_t next = (lives & 1) == (doomed & 1) ? lives : lives + 1; /* a producer for a producer */
        if (next < LIVES && random_number(&rng) % 4 != 0) {
            processes[next] = give_life(next);
            lives = next + 1;
        }
    }
    every_survivor_goes_on(processes, lives);
    lf_store_release(&books->stop, 1u);
    for (uint32_t i = 0; i < lives; i++) {
        int status = 0;
        if (processes[i] <= 0)
            continue;
        if (lf_load_relaxed(&books->wrong))
            kill(processes[i], SIGKILL);
        waitpid(processes[i], &status, 0);
        if (WIFSIGNALED(status) && !lf_load_relaxed(&books->wrong))
            wrong("life %u crashed", i);
    }
    for (uint32_t i = 0; i < lives; i++)
        operations_of_all += books->lives[i].operations;
    if (!lf_load_relaxed(&books->wrong))
        subject->settle();
    lf_detach(subject->handle);
}

int main(int argc, char **argv) {
    uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 0, seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
    if (argc < 2 || !choose_subject(argv[1]) || rounds == 0) {
        fprintf(stderr, "usage: %s PRIMITIVE ROUNDS SEED\n", argv[0]);
        return 2;
    }
    books = (struct books *)mmap(NULL, sizeof *books, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t killed = 0, done = 0, start = lf_now();
    for (; done < rounds; done++) {
        rng = seed + done; /* a round depends on its number alone, except for races */
        run_round();
        killed += deaths;
        if (books->wrong)
            break;
    }
    printf("{\"primitive\": \"%s\", \"rounds\": %llu, \"killed\": %llu, \"operations\": %llu, \"seconds\": %.2f, "
           "\"wrong\": \"%s\", \"seed\": %llu}\n",
           subject->name, (unsigned long long)done, (unsigned long long)killed, (unsigned long long)operations_of_all,
           (double)(lf_now() - start) * 1e-9, books->wrong ? books->what : "",
           (unsigned long long)(seed + (books->wrong ? done : 0)));
    return books->wrong != 0;
}
