/* lockfree.h: all primitives. Each header begins with an example of its use.
 *
 *   cc -O2 -I "$(python -c 'import lockfree; print(lockfree.get_include())')" program.c -o program
 *
 * The headers need C11 or C++17 on Linux, and no library. Include them before system headers, or define _GNU_SOURCE. */
#ifndef LOCKFREE_LOCKFREE_H
#define LOCKFREE_LOCKFREE_H

#include "arena.h"
#include "atomic.h"
#include "barrier.h"
#include "broadcast_ring.h"
#include "condition.h"
#include "event.h"
#include "event_count.h"
#include "block_pool.h"
#include "latest_value.h"
#include "message_ring.h"
#include "mpmc_ring.h"
#include "mutex.h"
#include "priority_queue.h"
#include "rlock.h"
#include "rwlock.h"
#include "semaphore.h"
#include "space.h"
#include "spinlock.h"
#include "spsc_ring.h"
#include "blocks/watching.h"

#endif
