/* rc11.h: how accesses (access.c) become events (rc11.c). */
#ifndef LOCKFREE_MODEL_RC11_H
#define LOCKFREE_MODEL_RC11_H

#include "steps.h"

/* Bytes of a location and of an access to a part of it. */
u128 low_bytes(u128 value, unsigned size);
u128 part_of(u128 whole, const struct loc *loc, unsigned offset, unsigned size);
u128 merged(u128 whole, const struct loc *loc, unsigned offset, unsigned size, u128 value);

/* In setup and final accesses are made directly. */
bool made_directly(uintptr_t address, unsigned size, bool only_writes, uint64_t pc);

enum access { READS, WRITES, CHANGES, MAY_CHANGE }; /* the last: rmw() checks it as a write when it is one */
struct loc *object_at(uintptr_t address, unsigned size, enum access access, uint64_t pc);

struct event *event_new(enum event_kind kind, int order, struct loc *loc, uint64_t pc);

typedef bool (*writes_function)(const struct loc *loc, u128 whole, const void *data);
int read_event(struct loc *loc, int order, int failure_order, writes_function writes, const void *data, bool *is_rmw,
               uint64_t pc);
int store_event(struct loc *loc, u128 value, int order, int read, uint64_t pc);

#endif
