/* dat3m.h: as Dartagnan's clients include it. */
#include "genmc.h"
