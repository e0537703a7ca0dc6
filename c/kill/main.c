/* main.c: kills one operation of the primitive after each of its instructions in turn. Prints results as lines of JSON.
 *
 *   PROGRAM list
 *   PROGRAM run OPERATION MODE|all [first every at seed watchdog_ms cpu]
 * k takes the values first, first + every, ... to the end. With `at` >= 0 it takes that value alone; with -2 the victim
 * is killed asleep. */
#include "kill.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MOST_BREACHES 5
#define RECORDINGS 3
enum { EVERY = -1, ASLEEP = KILL_ASLEEP }; /* instead of one k */

static pid_t victim;
static int64_t *victim_answer;

/* Ends every process that may hang or hold something. */
static void clear_away(void) {
    if (victim > 0) {
        kill(victim, SIGKILL);
        waitpid(victim, NULL, 0);
        victim = 0;
    }
    kill_end_doomed();
    kill_end_orphan();
    kill_end_survivor(&kill_a);
    kill_end_survivor(&kill_b);
    kill_end_survivor(&kill_c);
    kill_let_go();
    if (kill_subject.clean_up != NULL)
        kill_subject.clean_up();
}

static void stand_up(void) {
    if (kill_a.pid <= 0)
        kill_start_survivor(&kill_a);
    if (kill_b.pid <= 0)
        kill_start_survivor(&kill_b);
}

static void arrange(void) {
    kill_now.operation->arrange();
    victim = kill_spawn_victim(kill_now.operation, victim_answer);
    if (kill_now.operation->ready != NULL)
        kill_now.operation->ready();
}

static void step_back(void) {
    kill_end_orphan();
    kill_end_survivor(&kill_c);
    kill_detach_survivor(&kill_a);
    kill_detach_survivor(&kill_b);
    kill_let_go();
}

/* Records the whole window once. Returns 0, or 1 for a breach before anybody was killed. */
static int record(struct kill_trace *trace) {
    kill_now.k = kill_now.address = 0;
    kill_now.asleep = kill_now.ended = kill_now.dead = kill_now.recovering = kill_now.roused = 0;
    stand_up();
    if (setjmp(kill_point_ended) != 0) {
        clear_away();
        return 1;
    }
    arrange();
    kill_record(victim, trace);
    kill_now_and_wait(victim);
    victim = 0;
    step_back();
    return 0;
}

/* Runs one kill point. Returns 1 for a breach. k = UINT64_MAX: the victim is killed asleep. */
static int run_point(uint64_t k, const struct kill_trace *trace, uint64_t *diverged) {
    const struct kill_operation *operation = kill_now.operation;
    kill_now.k = k;
    kill_now.asleep = k == UINT64_MAX;
    kill_now.ended = kill_now.dead = kill_now.recovering = kill_now.roused = 0;
    kill_now.address = 0;
    stand_up();
    if (setjmp(kill_point_ended) != 0) {
        clear_away();
        return 1;
    }
    arrange();
    if (kill_now.asleep) {
        if (kill_run_until_asleep(victim) != 0)
            kill_breach("a call that falls asleep", "it came to its end");
    } else {
        kill_now.address = kill_advance(victim, k, trace, &kill_now.ended);
        if (kill_now.address != trace->at[k])
            ++*diverged;
        if (kill_now.ended && *victim_answer != operation->answer)
            kill_breach("the answer of an undisturbed call", "the victim got %lld, not %lld", (long long)*victim_answer,
                        (long long)operation->answer);
    }
    if (kill_now.mode == KILL_STOPPED) {
        if (kill_now.asleep)
            kill(victim, SIGSTOP);
        else
            kill_stop(victim);
        if (operation->beside != NULL)
            operation->beside();
    }
    kill_now_and_wait(victim);
    victim = 0;
    kill_now.dead = 1;
    operation->judge();
    step_back();
    return 0;
}

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t distinct_instructions(const struct kill_trace *trace) {
    uint64_t n = 0;
    for (uint64_t k = 0; k < trace->steps; k++)
        n += trace->nth[k] == 1 && (k == 0 || trace->at[k] != trace->at[k - 1]);
    return n;
}

static int same_path(const struct kill_trace *a, const struct kill_trace *b) {
    return a->steps == b->steps && memcmp(a->at, b->at, a->steps * sizeof *a->at) == 0;
}

/* The path that most of RECORDINGS recordings take. A read of the clock sometimes takes another one. */
static void record_path(struct kill_trace *path) {
    struct kill_trace recorded[RECORDINGS];
    int best = 0, most = 0;
    memset(recorded, 0, sizeof recorded);
    for (int i = 0; i < RECORDINGS && most <= RECORDINGS / 2; i++) {
        if (record(&recorded[i]) != 0) {
            kill_print_breach();
            exit(1);
        }
        int alike = 0;
        for (int j = 0; j <= i; j++)
            alike += same_path(&recorded[i], &recorded[j]);
        if (alike > most || (alike == most && recorded[i].steps < recorded[best].steps)) {
            most = alike;
            best = i;
        }
    }
    for (int i = 0; i < RECORDINGS; i++) {
        if (i == best)
            continue;
        free(recorded[i].at);
        free(recorded[i].nth);
    }
    *path = recorded[best];
}

struct choice {
    uint64_t first, every, seed;
    int64_t at;
};

static uint64_t run_mode(const struct kill_trace *path, const struct choice *choice) {
    uint64_t points = 0, diverged = 0, breaches = 0, start = lf_now(), last = path->steps;
    if (kill_now.operation->rouse != NULL && (choice->at == ASLEEP || (choice->at == EVERY && choice->first == 0))) {
        points++;
        if (run_point(UINT64_MAX, path, &diverged) != 0) {
            breaches++;
            kill_print_breach();
        }
    }
    uint64_t k = choice->at >= 0 ? (uint64_t)choice->at : choice->first < last ? choice->first : last;
    while (choice->at != ASLEEP && k <= last && breaches < MOST_BREACHES) {
        kill_now.seed = mix(choice->seed + mix(k));
        points++;
        if (run_point(k, path, &diverged) != 0) {
            breaches++;
            kill_print_breach();
        }
        if (choice->at >= 0 || k == last)
            break;
        k = k + choice->every < last ? k + choice->every : last; /* the completed call always */
    }
    printf("{\"event\": \"summary\", \"operation\": \"%s\", \"mode\": \"%s\", \"instructions\": %llu, "
           "\"distinct\": %llu, \"points\": %llu, \"diverged\": %llu, \"breaches\": %llu, \"seconds\": %.3f}\n",
           kill_now.operation->name, kill_mode_names[kill_now.mode], (unsigned long long)path->steps,
           (unsigned long long)distinct_instructions(path), (unsigned long long)points, (unsigned long long)diverged,
           (unsigned long long)breaches, (double)(lf_now() - start) * 1e-9);
    fflush(stdout);
    return breaches;
}

static int run(const struct kill_operation *operation, unsigned modes, const struct choice *choice) {
    struct kill_trace path;
    uint64_t breaches = 0;
    kill_now.operation = operation;
    kill_now.seed = mix(choice->seed);
    record_path(&path);
    for (int mode = 0; mode < KILL_MODES; mode++) {
        if (!(operation->modes & modes & 1u << mode))
            continue;
        kill_now.mode = (enum kill_mode)mode;
        breaches += run_mode(&path, choice);
    }
    clear_away();
    free(path.at);
    free(path.nth);
    return breaches != 0;
}

static int list(void) {
    for (int i = 0; i < kill_subject.n_operations; i++)
        printf("%s\n", kill_subject.operations[i].name);
    return 0;
}

static long long number(int argc, char **argv, int i, long long otherwise) {
    return i < argc ? atoll(argv[i]) : otherwise;
}

static unsigned modes_of(const char *names) {
    unsigned modes = 0;
    for (int mode = 0; mode < KILL_MODES; mode++)
        if (strcmp(names, "all") == 0 || strcmp(names, kill_mode_names[mode]) == 0)
            modes |= 1u << mode;
    return modes;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    kill_now.subject = &kill_subject;
    kill_driver = getpid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct choice choice = {(uint64_t)number(argc, argv, 4, 0), (uint64_t)number(argc, argv, 5, 1),
                            (uint64_t)number(argc, argv, 7, 0), number(argc, argv, 6, EVERY)};
    victim_answer = (int64_t *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    kill_now.watchdog = (uint64_t)number(argc, argv, 8, 10000) * KILL_MS;
    long long cpu = number(argc, argv, 9, -1);
    if (cpu >= 0 && cpu < CPU_SETSIZE) { /* driver and victim alternate: fastest on the same processor */
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    for (int i = 0; argc > 3 && i < kill_subject.n_operations; i++)
        if (strcmp(argv[2], kill_subject.operations[i].name) == 0 && modes_of(argv[3]) != 0 && choice.every > 0)
            return run(&kill_subject.operations[i], modes_of(argv[3]), &choice);
    fprintf(stderr, "usage: %s list | run OPERATION MODE|all [first every at seed watchdog_ms cpu]\n", argv[0]);
    return 2;
}
