#define LF_PY_ARENA_PATIENCE LF_ARENA_AWHILE
#include "arena/calls.h"
