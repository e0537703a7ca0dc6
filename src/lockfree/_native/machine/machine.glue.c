/* What the machine costs, in one translation unit. */
#include "machine/machine.h"
#include "machine/crew.c"
#include "machine/operate.c"
#include "machine/pair.c"
#include "machine/stream.c"
#include "machine/litmus.c"
