/* heap.c: what memory the client owns, byte by byte: allocated, written, freed.
 *
 * Blocks lie apart, so that an access beside one is seen, and are never used again within an execution, so
 * that an access after free is. Each thread allocates from its own region: addresses do not depend on how
 * threads interleave. */
#define _GNU_SOURCE
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { REGION = 2 << 20, GAP = 64, MAX_BLOCKS = 4096 };
enum { ALLOCATED = 1, WRITTEN = 2, FREED = 4 };
#define ARENA ((char *)0x300000000000)

MODEL_STATE static uint8_t *state; /* one for each byte of the arena */
MODEL_STATE static size_t used[MAX_THREADS];
MODEL_STATE static struct block {
    char *address;
    size_t size;
    bool freed;
} *blocks;
MODEL_STATE static int block_count, snapshot_blocks;
MODEL_STATE static char *saved_memory, *saved_globals;
MODEL_STATE static uint8_t *saved_state;
MODEL_STATE static size_t saved_used;

extern char __data_start[], _end[];
extern char __start_lf_model_state[], __stop_lf_model_state[];

void heap_start(void) {
    size_t bytes = (size_t)REGION * MAX_THREADS;
    char *arena = mmap(ARENA, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    state = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    blocks = calloc(MAX_BLOCKS, sizeof *blocks);
    if (arena != ARENA || (void *)state == MAP_FAILED || blocks == NULL) {
        fputs("model: no room for the client's memory at its fixed address\n", stderr);
        exit(3);
    }
    if (__start_lf_model_state < __data_start || __stop_lf_model_state > _end) {
        fputs("model: the linker put the runtime's variables where the client's cannot be told from them\n", stderr);
        exit(3);
    }
}

bool heap_contains(uintptr_t address) { return address - (uintptr_t)ARENA < (uintptr_t)REGION * MAX_THREADS; }

void *heap_allocate(size_t size, size_t align, bool zeroed) {
    int region = R.current != NULL ? R.current->tid : 0;
    align = align < 16 ? 16 : align;
    size_t at = (used[region] + GAP + align - 1) & ~(align - 1);
    if (block_count == MAX_BLOCKS || size > REGION || at + size + GAP > REGION) {
        fail("unusable client", "it allocates more than %d bytes in a thread", REGION);
        leave_run(RUN_UNUSABLE);
    }
    used[region] = at + size + GAP;
    char *address = ARENA + (size_t)region * REGION + at;
    blocks[block_count++] = (struct block){address, size, false};
    memset(address, zeroed ? 0 : 0xA5, size);
    memset(state + (address - ARENA), zeroed ? ALLOCATED | WRITTEN : ALLOCATED, size);
    return address;
}

void heap_free(void *pointer, uint64_t pc) {
    if (pointer == NULL)
        return;
    for (int i = 0; i < block_count; i++) {
        struct block *block = &blocks[i];
        if (block->address != pointer)
            continue;
        if (block->freed) {
            fail("double free", "of the block at %p @%lx@", pointer, (unsigned long)pc);
            return;
        }
        plain_access((uintptr_t)pointer, block->size, true, pc);
        block->freed = true;
        memset(state + (block->address - ARENA), FREED, block->size);
        return;
    }
    fail("bad free", "of %p, which no allocation returned @%lx@", pointer, (unsigned long)pc);
}

void heap_mark_written(uintptr_t address, size_t size) {
    if (!heap_contains(address))
        return;
    uint8_t *s = state + (address - (uintptr_t)ARENA);
    for (size_t i = 0; i < size; i++)
        s[i] |= WRITTEN;
}

void heap_check(uintptr_t address, size_t size, bool write, uint64_t pc) {
    if (!heap_contains(address))
        return;
    uint8_t *s = state + (address - (uintptr_t)ARENA);
    for (size_t i = 0; i < size; i++) {
        const char *what = write ? "write" : "read";
        if ((s[i] & FREED) != 0) {
            fail("use after free", "%s of %zu bytes at %p @%lx@", what, size, (void *)address, (unsigned long)pc);
            return;
        }
        if ((s[i] & ALLOCATED) == 0) {
            fail("out of bounds", "%s of %zu bytes at %p @%lx@", what, size, (void *)address, (unsigned long)pc);
            return;
        }
        if (!write && (s[i] & WRITTEN) == 0 && size <= 16) { /* block copies may carry padding */
            fail("uninitialised read", "of %zu bytes at %p @%lx@", size, (void *)address, (unsigned long)pc);
            return;
        }
        if (write)
            s[i] |= WRITTEN;
    }
}

/* The client's variables: all writable data of the program except this runtime's. */
static void copy_globals(bool save) {
    char *parts[2][2] = {{__data_start, __start_lf_model_state}, {__stop_lf_model_state, _end}};
    char *at = saved_globals;
    for (int i = 0; i < 2; i++) {
        if (parts[i][1] <= parts[i][0])
            continue;
        size_t size = (size_t)(parts[i][1] - parts[i][0]);
        memcpy(save ? at : parts[i][0], save ? parts[i][0] : at, size);
        at += size;
    }
}

void heap_snapshot(void) {
    saved_used = used[0];
    snapshot_blocks = block_count;
    saved_memory = malloc(saved_used + 1);
    saved_state = malloc(saved_used + 1);
    saved_globals = malloc((size_t)(_end - __data_start) + 1);
    memcpy(saved_memory, ARENA, saved_used);
    memcpy(saved_state, state, saved_used);
    copy_globals(true);
}

void heap_restore(void) {
    memcpy(ARENA, saved_memory, saved_used);
    memcpy(state, saved_state, saved_used);
    if (used[0] > saved_used)
        memset(state + saved_used, 0, used[0] - saved_used);
    used[0] = saved_used;
    for (int region = 1; region < MAX_THREADS; region++) {
        memset(state + (size_t)region * REGION, 0, used[region]);
        used[region] = 0;
    }
    for (int i = 0; i < snapshot_blocks; i++)
        blocks[i].freed = false;
    block_count = snapshot_blocks;
    copy_globals(false);
}
