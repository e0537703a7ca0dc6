/* trail.c: the state of the search, and what the choices of an execution were. */
#include "choices.h"

MODEL_STATE struct exploration X;

void trail_add(int number) {
    if (R.trail_length == MAX_TRAIL)
        too_large(MAX_TRAIL, "choices in one execution");
    R.trail[R.trail_length++] = (uint16_t)number;
}
