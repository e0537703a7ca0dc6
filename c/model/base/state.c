/* state.c: the state of the runtime. */
#include "state.h"

MODEL_STATE struct runtime R;

static void begin_setup(void) { R.current = &R.thread[0]; }

/* Constructors are a part of setup; this comes before the first of them. */
__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = begin_setup;
