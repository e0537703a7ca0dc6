/* clocks.c: sleeping a while and giving up the processor say what a spin hint says. */
#define _GNU_SOURCE
#include "../objects/objects.h"

#include <sched.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { NS = 1000000000 };

static uint64_t of(const struct timespec *time) {
    return time == NULL || time->tv_sec < 0 || time->tv_sec > 1000000000
               ? 0
               : (uint64_t)time->tv_sec * NS + (uint64_t)time->tv_nsec;
}

static void sleep_for(uint64_t ns, uint64_t pc) {
    if (R.current != NULL)
        R.current->clock_ns += ns;
    pause_at(pc);
}

int sched_yield(void) {
    pause_at(PC);
    return 0;
}
int pthread_yield(void) {
    pause_at(PC);
    return 0;
}
void thrd_yield(void) { pause_at(PC); }
unsigned sleep(unsigned seconds) {
    sleep_for((uint64_t)seconds * NS, PC);
    return 0;
}
int usleep(unsigned us) {
    sleep_for((uint64_t)us * 1000, PC);
    return 0;
}
int nanosleep(const struct timespec *time, struct timespec *left) {
    (void)left;
    sleep_for(of(time), PC);
    return 0;
}
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
    (void)clock, (void)left;
    uint64_t now = lf_model_now(), until = of(time);
    sleep_for((flags & TIMER_ABSTIME) == 0 ? until : until > now ? until - now : 0, PC);
    return 0;
}
int thrd_sleep(const struct timespec *time, struct timespec *left) {
    (void)left;
    sleep_for(of(time), PC);
    return 0;
}

int lf_libc_clock_gettime(clockid_t clock, struct timespec *now);
int lf_libc_clock_gettime(clockid_t clock, struct timespec *now) {
    (void)clock;
    uint64_t ns = look_at_clock();
    plain_access(AT(now), sizeof *now, true, PC);
    *now = (struct timespec){(time_t)(ns / NS), (long)(ns % NS)};
    return 0;
}
int lf_libc_timespec_get(struct timespec *now, int base);
int lf_libc_timespec_get(struct timespec *now, int base) {
    lf_libc_clock_gettime(0, now);
    return base;
}
int lf_libc_gettimeofday(struct timeval *now, void *zone);
int lf_libc_gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    uint64_t ns = look_at_clock();
    plain_access(AT(now), sizeof *now, true, PC);
    *now = (struct timeval){(time_t)(ns / NS), (suseconds_t)(ns % NS / 1000)};
    return 0;
}
time_t lf_libc_time(time_t *now);
time_t lf_libc_time(time_t *now) {
    time_t seconds = (time_t)(look_at_clock() / NS);
    if (now != NULL) {
        plain_access(AT(now), sizeof *now, true, PC);
        *now = seconds;
    }
    return seconds;
}
clock_t lf_libc_clock(void);
clock_t lf_libc_clock(void) { return (clock_t)(look_at_clock() / (NS / CLOCKS_PER_SEC)); }

/* What these return is one object of all threads, as in the C library. No MODEL_STATE: put back with the client's. */
static struct tm lf_libc_broken_down_time; /* shown by the end of its name */
static char lf_libc_text_of_time[64];

static struct tm *broken_down(const time_t *time, struct tm *(*convert)(const time_t *, struct tm *), uint64_t pc) {
    plain_access(AT(time), sizeof *time, false, pc);
    plain_access(AT(&lf_libc_broken_down_time), sizeof lf_libc_broken_down_time, true, pc);
    return convert(time, &lf_libc_broken_down_time);
}

static char *text_of(const struct tm *time, uint64_t pc) {
    plain_access(AT(lf_libc_text_of_time), sizeof lf_libc_text_of_time, true, pc);
    return asctime_r(time, lf_libc_text_of_time);
}

struct tm *lf_libc_gmtime(const time_t *time);
struct tm *lf_libc_gmtime(const time_t *time) { return broken_down(time, gmtime_r, PC); }
struct tm *lf_libc_localtime(const time_t *time);
struct tm *lf_libc_localtime(const time_t *time) { return broken_down(time, localtime_r, PC); }
char *lf_libc_asctime(const struct tm *time);
char *lf_libc_asctime(const struct tm *time) {
    plain_access(AT(time), sizeof *time, false, PC);
    return text_of(time, PC);
}
char *lf_libc_ctime(const time_t *time);
char *lf_libc_ctime(const time_t *time) { return text_of(broken_down(time, localtime_r, PC), PC); }
