/* What the machine costs, in one translation unit. */
#include "machine/machine.h"
LF_SOURCES(machine)
