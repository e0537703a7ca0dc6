/* location.c: which bytes are one atomic object.
 *
 * C11 knows no accesses of several widths to one object; real code has them (a futex on half of a 64-bit
 * word, a 16-byte compare-and-swap over two words). An object is as wide as its widest access: when a
 * wider one turns up, its range is remembered and the search starts over. A narrow store into a wide
 * object takes the other bytes from the store before it in modification order. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE = 1 << 17, MAX_LOCATIONS = 60000, MAX_WIDTHS = 256 };

struct word { /* 8 bytes of memory */
    uintptr_t key;
    uint32_t generation;
    uint16_t at[8]; /* location number + 1 of each byte */
};

MODEL_STATE static struct word *table;
MODEL_STATE static uint32_t generation;
MODEL_STATE static struct loc *locations;
MODEL_STATE static int location_count;
MODEL_STATE static struct {
    uintptr_t address;
    unsigned size;
} widths[MAX_WIDTHS];
MODEL_STATE static int width_count;

void locations_reset(void) {
    if (table == NULL) {
        table = calloc(TABLE, sizeof *table);
        locations = calloc(MAX_LOCATIONS, sizeof *locations);
    }
    generation++;
    location_count = 0;
}

static struct word *word_at(uintptr_t key, bool create) {
    unsigned slot = (unsigned)((key >> 3) * 0x9E3779B97F4A7C15u >> 40) & (TABLE - 1);
    for (int probes = 0; probes < TABLE; probes++, slot = (slot + 1) & (TABLE - 1)) {
        struct word *word = &table[slot];
        if (word->generation != generation) {
            if (!create)
                return NULL;
            memset(word, 0, sizeof *word);
            word->key = key;
            word->generation = generation;
            return word;
        }
        if (word->key == key)
            return word;
    }
    too_large(TABLE, "words of 8 bytes with atomic objects");
}

u128 memory_get(uintptr_t address, unsigned size) {
    u128 value = 0;
    memcpy(&value, (const void *)address, size);
    return value;
}

void memory_put(uintptr_t address, unsigned size, u128 value) { memcpy((void *)address, &value, size); }

static struct loc *location_new(uintptr_t address, unsigned size) {
    if (location_count == MAX_LOCATIONS)
        too_large(MAX_LOCATIONS, "atomic objects");
    struct loc *loc = &locations[location_count++];
    int *store = loc->store, capacity = loc->capacity;
    memset(loc, 0, sizeof *loc);
    loc->store = store;
    loc->capacity = capacity;
    loc->address = address;
    loc->size = (uint8_t)size;
    loc->plain_pending = true; /* what memory holds is its initial store */
    for (int t = 0; t < MAX_THREADS; t++)
        loc->own_release[t] = NO_EVENT;
    for (unsigned i = 0; i < size; i++)
        word_at((address + i) & ~(uintptr_t)7, true)->at[(address + i) & 7] = (uint16_t)location_count;
    return loc;
}

/* Is this object remembered as wide? If it is not, it may come into being as a narrow one next time. */
static bool remembered(const struct loc *loc) {
    for (int i = 0; i < width_count; i++)
        if (widths[i].address == loc->address && widths[i].size == loc->size)
            return true;
    return false;
}

static void widen(uintptr_t low, uintptr_t high) {
    unsigned size = 1;
    while (size < 16 && (low & ~(uintptr_t)(size - 1)) + size < high)
        size *= 2;
    low &= ~(uintptr_t)(size - 1);
    if (low + size < high)
        fail("unusable client", "overlapping atomic accesses that no aligned 16 bytes hold");
    widths_add(low, size);
    leave_run(RUN_AGAIN);
}

void widths_add(uintptr_t address, unsigned size) {
    if (width_count == MAX_WIDTHS)
        too_large(MAX_WIDTHS, "atomic objects that are accessed in several widths");
    widths[width_count].address = address;
    widths[width_count++].size = size;
}

struct loc *location_at(uintptr_t address, unsigned size) {
    struct word *word = word_at(address & ~(uintptr_t)7, true);
    struct loc *loc = word->at[address & 7] != 0 ? &locations[word->at[address & 7] - 1] : NULL;
    if (loc != NULL && loc->address <= address && address + size <= loc->address + loc->size) {
        if (size < loc->size && !remembered(loc))
            widen(loc->address, loc->address + loc->size);
        return loc;
    }
    if (loc == NULL) {
        for (int i = 0; i < width_count; i++)
            if (widths[i].address <= address && address + size <= widths[i].address + widths[i].size)
                return location_new(widths[i].address, widths[i].size);
        loc = locations_overlapping(address, size, NULL);
        if (loc == NULL)
            return location_new(address, size);
    }
    uintptr_t low = address, high = address + size;
    for (; loc != NULL; loc = locations_overlapping(address, size, loc)) {
        low = loc->address < low ? loc->address : low;
        high = loc->address + loc->size > high ? loc->address + loc->size : high;
    }
    widen(low, high);
    return NULL;
}

/* The locations that touch a range of bytes, one after another in order of address. */
struct loc *locations_overlapping(uintptr_t address, size_t size, struct loc *after) {
    uintptr_t at = after != NULL ? after->address + after->size : address;
    at = at < address ? address : at;
    for (; at < address + size; at++) {
        struct word *word = word_at(at & ~(uintptr_t)7, false);
        if (word == NULL)
            at |= 7;
        else if (word->at[at & 7] != 0)
            return &locations[word->at[at & 7] - 1];
    }
    return NULL;
}

void widths_print(void) {
    for (int i = 0; i < width_count; i++)
        say(".%lx:%u", (unsigned long)widths[i].address, widths[i].size);
}
