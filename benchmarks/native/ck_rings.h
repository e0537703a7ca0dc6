// Concurrency Kit's rings of 64-byte records, where its header is there. C++ cannot include it: ck_rings.c is C.
#pragma once
#if __has_include(<ck_ring.h>)
#define HAS_CK 1
#ifdef __cplusplus
extern "C" {
#else
#include <stdbool.h>
#endif
void *ck_rings_new(unsigned capacity);
void ck_rings_free(void *ring);
bool ck_rings_put_spsc(void *ring, const void *record);
bool ck_rings_get_spsc(void *ring, void *record);
bool ck_rings_put_mpmc(void *ring, const void *record);
bool ck_rings_get_mpmc(void *ring, void *record);
#ifdef __cplusplus
}
#endif
#endif
