/* load_books.c: what the processes of a round write down, and what was wrong. */
#include "load.h"

#include <stdarg.h>

struct books *books;
uint64_t deaths;
int leases;

uint64_t random_number(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void wrong(const char *what, ...) {
    va_list values;
    if (lf_exchange_acq_rel(&books->wrong, 1u) != 0)
        return;
    va_start(values, what);
    vsnprintf(books->what, sizeof books->what, what, values);
    va_end(values);
}
