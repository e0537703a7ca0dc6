/* Counts the owners of an object. The memory of the count itself stays when the object is gone. */
#ifndef REFCOUNT_H
#define REFCOUNT_H

#include <stdatomic.h>
#include <stdint.h>

struct refcount {
    _Atomic uint32_t owners; /* 0: the object is gone, for ever */
};

#define REFCOUNT_MAX UINT32_C(0x7fffffff)

/* By the thread that made the object, before others know it. owners: 1 to REFCOUNT_MAX. */
void ref_init(struct refcount *count, uint32_t owners);
/* By an owner. 1: there is one owner more. 0: there are REFCOUNT_MAX already, and nothing has changed. */
int ref_copy(struct refcount *count);
/* By anybody who knows where the count is. 1: the caller is an owner now. 0: the object is gone, or it has REFCOUNT_MAX
 * owners; nothing has changed. */
int ref_try(struct refcount *count);
/* By an owner, who is none any more. 1: that was the last owner, and the caller destroys the object. 0: there are others. */
int ref_drop(struct refcount *count);
/* By an owner of an object on which nobody calls ref_try. 1: the caller is the only owner, and may write into the object. */
int ref_unique(struct refcount *count);

#endif
