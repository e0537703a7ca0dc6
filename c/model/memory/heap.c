/* heap.c: what memory the client owns, byte by byte: allocated, written, freed.
 *
 * Blocks lie apart, so that an access beside one is seen, and are never used again within an execution, so
 * that an access after free is. Each thread allocates from its own region: addresses do not depend on how
 * threads interleave. */
#define _GNU_SOURCE
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { REGION = 64 << 20, GAP = 4096, MAX_BLOCKS = 4096 };
enum { ALLOCATED = 1, WRITTEN = 2, FREED = 4, FILL = 0xA5 };
#define ARENA ((char *)0x300000000000)

MODEL_STATE static uint8_t *state; /* one for each byte of the arena */
MODEL_STATE static size_t used[MAX_THREADS];
MODEL_STATE static struct block {
    char *address;
    size_t size;
    uint64_t pc;   /* of the allocation */
    int32_t epoch; /* events that its thread had made */
    uint8_t tid, maker;
    bool freed, was_freed; /* was: by setup */
} *blocks;
MODEL_STATE static int *block_of_page; /* number + 1; blocks lie further apart than pages are large */
MODEL_STATE static int block_count, snapshot_blocks;
MODEL_STATE static char *saved_globals;
MODEL_STATE static char *saved; /* each block's bytes, then their states */
MODEL_STATE static size_t saved_used;

extern char __data_start[], _end[];
extern char __start_lf_model_state[], __stop_lf_model_state[];

void heap_start(void) {
    if (blocks != NULL)
        return;
    size_t bytes = (size_t)REGION * MAX_THREADS;
    char *arena = mmap(ARENA, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    state = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    blocks = calloc(MAX_BLOCKS, sizeof *blocks);
    block_of_page = calloc(bytes / GAP, sizeof *block_of_page);
    if (arena != ARENA || (void *)state == MAP_FAILED || blocks == NULL || block_of_page == NULL) {
        say("unusable\tno room for the client's memory at its fixed address\n");
        end_checker(3);
    }
    if (&__start_lf_model_state[0] < &__data_start[0] || &__stop_lf_model_state[0] > &_end[0]) {
        say("unusable\tthe linker put the runtime's variables where the client's cannot be told from them\n");
        end_checker(3);
    }
}

bool heap_contains(uintptr_t address) { return address - (uintptr_t)ARENA < (uintptr_t)REGION * MAX_THREADS; }

void *heap_allocate(size_t size, size_t align, bool zeroed, uint64_t pc) {
    int region = R.current != NULL ? R.current->tid : 0;
    if (blocks == NULL) /* a constructor */
        heap_start();
    turns_forget(R.current);
    if (size > PTRDIFF_MAX)
        fail("bad allocation", "of %zu bytes: a negative number? @%lx@", size, (unsigned long)pc);
    align = align < 16 ? 16 : align;
    size_t gap = size > GAP ? size : GAP; /* beside an array, the next elements of its size */
    size_t at = (used[region] + gap + align - 1) & ~(align - 1);
    if (block_count == MAX_BLOCKS || size > REGION / 4 || at + size + gap > REGION) {
        fail("unusable client", "it allocates more than %d bytes in a thread, or more than %d blocks", REGION / 4,
             MAX_BLOCKS);
        leave_run(RUN_UNUSABLE);
    }
    used[region] = at + size + gap;
    char *address = ARENA + (size_t)region * REGION + at;
    blocks[block_count++] = (struct block){.address = address,
                                           .size = size,
                                           .pc = pc,
                                           .epoch = R.current != NULL ? R.current->events : 0,
                                           .tid = (uint8_t)(R.running ? region : 0)};
    for (size_t page = (size_t)(address - ARENA) / GAP; page <= (size_t)(address + size - ARENA) / GAP; page++)
        block_of_page[page] = block_count;
    memset(address, zeroed ? 0 : FILL, size);
    memset(state + (address - ARENA), zeroed ? ALLOCATED | WRITTEN : ALLOCATED, size);
    return address;
}

static struct block *block_at(const void *pointer, uint64_t pc) {
    int number = heap_contains((uintptr_t)pointer) ? block_of_page[((uintptr_t)pointer - (uintptr_t)ARENA) / GAP] : 0;
    if (number > 0 && number <= block_count && blocks[number - 1].address == pointer) {
        if (blocks[number - 1].freed)
            fail("double free", "of the block at %p @%lx@", pointer, (unsigned long)pc);
        return &blocks[number - 1];
    }
    fail("bad free", "of %p, which no allocation returned @%lx@", pointer, (unsigned long)pc);
    leave_run(RUN_VIOLATION);
}

void heap_made_by(const void *pointer, enum maker maker, uint64_t pc) { block_at(pointer, pc)->maker = (uint8_t)maker; }

void heap_check_maker(const void *pointer, enum maker maker, uint64_t pc) {
    static const char *const made[] = {"malloc or its like", "new", "new[]"};
    static const char *const freed[] = {"free or realloc", "delete", "delete[]"};
    const struct block *block = block_at(pointer, pc);
    if (block->maker != (uint8_t)maker)
        fail("bad free", "of %p, which %s made, with %s @%lx@", pointer, made[block->maker], freed[maker],
             (unsigned long)pc);
}

size_t heap_block_size(const void *pointer, uint64_t pc) { return block_at(pointer, pc)->size; }

/* Bytes of blocks, and what is known of them. */
void heap_copy(void *to, const void *from, size_t size) {
    memcpy(to, from, size);
    memcpy(state + ((char *)to - ARENA), state + ((const char *)from - ARENA), size);
}

void heap_end_block(const void *pointer, uint64_t pc) {
    struct block *block = block_at(pointer, pc);
    block->freed = true;
    memset(state + (block->address - ARENA), FREED, block->size);
}

void heap_print(void) {
    for (int i = 0; i < block_count; i++)
        say("block\t%ld\t%lx\t%lu\n", (long)((blocks[i].address - ARENA) / REGION), (unsigned long)blocks[i].address,
            (unsigned long)blocks[i].size);
}

bool heap_is_written(uintptr_t address, size_t size) {
    const uint8_t *s = state + (address - (uintptr_t)ARENA);
    for (size_t i = 0; i < size; i++)
        if ((s[i] & WRITTEN) != 0 || *(const uint8_t *)(address + i) != FILL)
            return true;
    return false;
}

void heap_copy_unwritten(uintptr_t to, uintptr_t from, size_t size) {
    if (to < from + size && from < to + size)
        return;
    for (size_t i = 0; i < size; i++) {
        uintptr_t byte = from + i;
        if (*(const uint8_t *)byte != FILL ||
            (heap_contains(byte) ? heap_is_written(byte, 1) : stack_is_written(byte, 1)))
            continue;
        if (heap_contains(to + i))
            state[to + i - (uintptr_t)ARENA] &= (uint8_t)~WRITTEN;
        else
            stack_forget(to + i);
    }
}

void heap_check(uintptr_t address, size_t size, bool write, uint64_t pc) {
    R.touched = address;
    R.touched_pc = pc;
    if (!heap_contains(address)) {
        local_check(address, size, write, pc);
        stack_check(address, size, write, pc);
        return;
    }
    uint8_t *s = state + (address - (uintptr_t)ARENA);
    bool unwritten = !write && size <= 16 && !R.copies;
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
        /* a part of it may be padding, and library functions that are not instrumented write, too */
        unwritten &= (s[i] & WRITTEN) == 0 && *(const uint8_t *)(address + i) == FILL;
        if (write)
            s[i] |= WRITTEN;
    }
    const struct block *block = &blocks[block_of_page[(address - (uintptr_t)ARENA) / GAP] - 1];
    if (R.running && block->tid != 0 && block->tid != R.current->tid && R.current->hb.of[block->tid] <= block->epoch) {
        race("", write, address, pc, block->tid, "allocation", block->pc);
        return;
    }
    if (unwritten)
        fail("uninitialised read", "of %zu bytes at %p @%lx@", size, (void *)address, (unsigned long)pc);
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
    size_t bytes = 0;
    for (int i = 0; i < block_count; i++)
        bytes += blocks[i].size;
    saved = malloc(2 * bytes + 1);
    char *at = saved;
    for (int i = 0; i < block_count; i++) {
        struct block *block = &blocks[i];
        block->was_freed = block->freed;
        memcpy(at, block->address, block->size);
        memcpy(at + block->size, state + (block->address - ARENA), block->size);
        at += 2 * block->size;
    }
    snapshot_blocks = block_count;
    saved_used = used[0];
    saved_globals = malloc((size_t)(_end - __data_start) + 1);
    copy_globals(true);
}

void heap_restore(void) {
    const char *at = saved;
    for (int i = 0; i < block_count; i++) {
        struct block *block = &blocks[i];
        if (i >= snapshot_blocks) {
            memset(state + (block->address - ARENA), 0, block->size);
            continue;
        }
        block->freed = block->was_freed;
        memcpy(block->address, at, block->size);
        memcpy(state + (block->address - ARENA), at + block->size, block->size);
        at += 2 * block->size;
    }
    block_count = snapshot_blocks;
    memset(used, 0, sizeof used);
    used[0] = saved_used;
    copy_globals(false);
}

MODEL_STATE static bool *reached;
MODEL_STATE static int *to_scan;

static int reach_from(const char *from, const char *to, int count) {
    for (const uintptr_t *at = (const uintptr_t *)((uintptr_t)(from + 7) & ~(uintptr_t)7); (const char *)(at + 1) <= to;
         at++) {
        if (!heap_contains(*at))
            continue;
        int i = block_of_page[(*at - (uintptr_t)ARENA) / GAP] - 1;
        if (i < 0 || i >= block_count || reached[i] || *at - (uintptr_t)blocks[i].address > blocks[i].size)
            continue;
        reached[i] = true;
        to_scan[count++] = i;
    }
    return count;
}

/* At the end of an execution: blocks that nobody has freed and that no variable leads to. To look at one execution in
 * many is enough for a warning. */
void heap_warn_of_lost(void) {
    static MODEL_STATE unsigned long executions;
    int open = 0, count = 0;
    for (int i = snapshot_blocks; i < block_count; i++)
        open += !blocks[i].freed;
    executions++;
    if (open == 0 || (executions > 64 && (executions & (executions - 1)) != 0))
        return;
    if (reached == NULL) {
        reached = calloc(MAX_BLOCKS, sizeof *reached);
        to_scan = calloc(MAX_BLOCKS, sizeof *to_scan);
    }
    memset(reached, 0, MAX_BLOCKS * sizeof *reached);
    count = reach_from(__data_start, __start_lf_model_state, count);
    count = reach_from(__stop_lf_model_state, _end, count);
    for (int t = 0; t < MAX_THREADS; t++) {
        size_t bytes;
        const char *local = tls_block(t, &bytes);
        count = reach_from(local, local + bytes, count);
        count = reach_from((const char *)&R.thread[t].result, (const char *)(&R.thread[t].result + 1), count);
    }
    while (count > 0) {
        const struct block *block = &blocks[to_scan[--count]];
        if (!block->freed)
            count = reach_from(block->address, block->address + block->size, count);
    }
    for (int i = snapshot_blocks; i < block_count; i++)
        if (!blocks[i].freed && !reached[i])
            warn("%zu bytes that T%d allocated @%lx@ are lost: nobody has freed them, and no variable leads to them",
                 blocks[i].size, blocks[i].tid, (unsigned long)blocks[i].pc);
}
