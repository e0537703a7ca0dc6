/* lockfree.h: umbrella. */
#ifndef LOCKFREE_LOCKFREE_H
#define LOCKFREE_LOCKFREE_H

#include "mpmc_ring.h"

#endif
