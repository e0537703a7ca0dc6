/* lockfree.h: umbrella. */
#ifndef LOCKFREE_LOCKFREE_H
#define LOCKFREE_LOCKFREE_H

#include "atomic.h"
#include "mpmc_ring.h"
#include "mutex.h"
#include "priority_queue.h"
#include "semaphore.h"
#include "spinlock.h"
#include "spsc_ring.h"

#endif
