/* clock.c: the CPU time that the search has used. */
#include "runs.h"

#include <time.h>

/* Of this process on the CPU: a busy machine does not change a verdict. */
double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool time_is_up(void) { return R.until > 0 && seconds_now() >= R.until; }
