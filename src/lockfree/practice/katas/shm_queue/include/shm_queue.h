/* A queue in memory that several processes map, each at an address of its own. A process can be killed at any instant. */
#ifndef SHM_QUEUE_H
#define SHM_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define SHM_MOST 8 /* processes: 1 to SHM_MOST */

struct shm_queue; /* yours */

size_t shm_size(uint32_t capacity);
/* By one process, before the others begin. capacity: 1 to 2^20 records. */
void shm_init(struct shm_queue *queue, uint32_t capacity);
/* By process `me`, one call at a time. 1: done. 0: full. */
int shm_put(struct shm_queue *queue, uint32_t me, uint32_t value);
/* The same. 1: the oldest value. 0: empty. */
int shm_get(struct shm_queue *queue, uint32_t me, uint32_t *value);

/* Not yours: 0 if this process is dead, 1 if it lives (it may be paused for as long as it likes). The dead stay dead, and
 * a process that is told of a death sees everything that the dead process did. */
int shm_alive(uint32_t process);

#endif
