/* lockfree.h: umbrella. */
#ifndef LOCKFREE_LOCKFREE_H
#define LOCKFREE_LOCKFREE_H

#include "atomic_cell.h"
#include "mpmc_ring.h"
#include "priority_queue.h"
#include "spsc_ring.h"

#endif
