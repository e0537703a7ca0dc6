/* stdatomic.h: the compiler's own, with the integer types that some compilers' headers bring along. Clients that were
 * written with one of those rely on it. */
#ifndef LOCKFREE_MODEL_STDATOMIC_H
#define LOCKFREE_MODEL_STDATOMIC_H

#include <stddef.h>
#include <stdint.h>
#include_next <stdatomic.h>

#endif
