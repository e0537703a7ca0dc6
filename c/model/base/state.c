/* state.c: the state of the runtime. */
#include "state.h"

MODEL_STATE struct runtime R = {.current = &R.thread[0]}; /* constructors are a part of setup */
