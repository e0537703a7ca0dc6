/* clock.c: the clocks, and waiting by them. */
#include "kill.h"

static int the_clock_stands;

int kill_clock_gettime(clockid_t clock, struct timespec *now) {
    if (the_clock_stands && clock == CLOCK_MONOTONIC_COARSE) {
        now->tv_sec = 1;
        now->tv_nsec = 0;
        return 0;
    }
#undef clock_gettime
    return clock_gettime(clock, now);
#define clock_gettime kill_clock_gettime
}

void kill_stop_the_clock(void) { the_clock_stands = 1; }

void kill_nap(uint64_t ns) {
    struct timespec span = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    nanosleep(&span, NULL);
}

void kill_next_tick(void) {
    uint64_t now = lf_now_coarse();
    while (lf_now_coarse() == now)
        kill_nap(200000);
}
