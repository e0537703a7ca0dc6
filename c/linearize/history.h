/* A recorded history: the fixed-size record of one operation, and the file that holds many of them.
 *
 * This header stands alone (stdint only), so that a recorder can write histories straight from C or C++:
 * fill one `struct lf_history_op` per operation into a preallocated array and, at the end, write
 * `struct lf_history_file` followed by the records of all clients in any order.
 *
 * Interval. `call` is read before the operation starts and `ret` after it has returned, both from one clock
 * that is valid across cores, in nanoseconds. Equal instants count as overlapping. An operation that never
 * returned has ret = LF_HISTORY_PENDING; its result is unknown, and it may or may not have taken effect.
 *
 * Answers. FULL, EMPTY, a failed try and a time-out are the same thing here: LF_HISTORY_FAILED in `flags`.
 *
 *   op                      arg             arg2         result
 *   put / get               value (put)     priority     value (get)     priority queues use arg2 on both
 *   put_front               value           priority                     priority queue with front=fifo
 *   push / pop              value (push)                 value (pop)
 *   peek                                                 value that get or pop would take; it stays inside
 *   write / read            value (write)                value (read)
 *   cas                     expected        desired      (FAILED: the comparison was unequal)
 *   fetch_add / load        delta                        value before (FAILED: not known) / value
 *   acquire / release       permits (1)                                  semaphore, mutex
 *   read_acquire, read_release, write_acquire, write_release             reader-writer lock
 *   add / remove / contains                              set: element in arg, or key; FAILED = false
 *   put / get / remove      value (put)                  value (get)     map: with `key`; FAILED = absent
 *   insert / delete                                      set (delete: map too): without an answer
 *   alloc / free            block (free)    blocks asked block (alloc)   FAILED = no block was free
 *   append / read           value (append)               value (read)    broadcast log; `key` = the reader
 *
 * Tickets. With the flag LF_HISTORY_TICKET the operation has a ticket, an integer from 0: among operations of one kind
 * (puts, gets, writes, ...) on one object, smaller tickets took effect earlier, as the object itself counted them. It
 * stands in arg2, of a cas in `result`; alloc, and what a priority queue does, have none. Tickets tell a check where to
 * look first and nothing else: no verdict rests on them.
 *
 * Batches. The k operations of one batch call are k records with the same client, the same interval and the
 * same non-zero `batch` number; their order in the array is their program order. Outside a batch, two
 * operations of one client never overlap. */
#ifndef LF_LINEARIZE_HISTORY_H
#define LF_LINEARIZE_HISTORY_H

#include <stdint.h>

#define LF_HISTORY_PENDING UINT64_MAX
/* Values from INT64_MIN to INT64_MIN + 2^32 stand for "no value" and for values that are not integers. */
#define LF_HISTORY_NONE INT64_MIN
#define LF_HISTORY_TEXT (INT64_MIN + 16)
#define LF_HISTORY_FAILED 1u /* flag: FULL, EMPTY, false, timed out */
#define LF_HISTORY_PAIR 2u   /* flag: arg2 belongs to the value (set by the JSON reader for [priority, id]) */
#define LF_HISTORY_TICKET 4u /* flag: a ticket, see above */

enum lf_history_code {
    LF_OP_NONE,
    LF_OP_PUT,
    LF_OP_GET,
    LF_OP_PUSH,
    LF_OP_POP,
    LF_OP_WRITE,
    LF_OP_READ,
    LF_OP_CAS,
    LF_OP_FETCH_ADD,
    LF_OP_LOAD,
    LF_OP_ACQUIRE,
    LF_OP_RELEASE,
    LF_OP_READ_ACQUIRE,
    LF_OP_READ_RELEASE,
    LF_OP_WRITE_ACQUIRE,
    LF_OP_WRITE_RELEASE,
    LF_OP_ADD,
    LF_OP_REMOVE,
    LF_OP_CONTAINS,
    LF_OP_ALLOC,
    LF_OP_FREE,
    LF_OP_APPEND,
    LF_OP_PEEK,
    LF_OP_INSERT,
    LF_OP_DELETE,
    LF_OP_PUT_FRONT,
    LF_OP_CUSTOM = 64 /* and above: operations of a user's specification */
};

struct lf_history_op { /* 56 bytes, native byte order */
    uint64_t call, ret;
    int64_t arg, arg2, result;
    uint32_t client;
    uint32_t key;   /* 0: no key; k + 1 for key number k, so that a small key needs no table */
    uint32_t batch; /* 0: not part of a batch call */
    uint8_t op;     /* enum lf_history_code */
    uint8_t flags;
    uint16_t reserved; /* 0 */
};

/* A file: this header, `count` records, then `text_bytes` of UTF-8: a JSON array with the values that are
 * not integers (value LF_HISTORY_TEXT + i is its element i) — empty for histories of integers.
 * The writer stores `count` last: a file whose count does not match its length is refused as unfinished. */
#define LF_HISTORY_MAGIC "LFHIST1\n"
struct lf_history_file { /* 64 bytes */
    char magic[8];
    uint32_t header_bytes; /* 64 */
    uint32_t record_bytes; /* 56 */
    uint64_t count;        /* UINT64_MAX while the file is being written */
    uint64_t text_bytes;
    uint64_t reserved[4];
};

#ifdef __cplusplus
static_assert(sizeof(struct lf_history_op) == 56 && sizeof(struct lf_history_file) == 64, "layout");
#else
_Static_assert(sizeof(struct lf_history_op) == 56, "layout");
_Static_assert(sizeof(struct lf_history_file) == 64, "layout");
#endif
#endif
