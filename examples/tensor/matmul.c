/* Three ways to multiply matrices. Both factors are given with their strides, so views of any kind will do. */
#include <stddef.h>
#include <string.h>

struct matrix {
    float *at;
    ptrdiff_t row, column; /* strides in elements */
};

/* As the formula says it. For each element of C it walks down a column of B: one cache line for every float. */
void multiply_by_formula(size_t n, size_t m, size_t depth, struct matrix a, struct matrix b, float *c) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            float sum = 0;
            for (size_t k = 0; k < depth; k++)
                sum += a.at[(ptrdiff_t)i * a.row + (ptrdiff_t)k * a.column] *
                       b.at[(ptrdiff_t)k * b.row + (ptrdiff_t)j * b.column];
            c[i * m + j] = sum;
        }
}

/* The same sums, with the two inner loops exchanged: now B and C are walked along their rows. But each row of C needs all
 * of B, and where B is larger than the cache, it comes from memory each time. */
void multiply_by_rows(size_t n, size_t m, size_t depth, struct matrix a, struct matrix b, float *c) {
    memset(c, 0, n * m * sizeof *c);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < depth; k++) {
            float factor = a.at[(ptrdiff_t)i * a.row + (ptrdiff_t)k * a.column];
            const float *row = b.at + (ptrdiff_t)k * b.row;
            for (size_t j = 0; j < m; j++)
                c[i * m + j] += factor * row[(ptrdiff_t)j * b.column];
        }
}

/* A tile of B is used for all rows of A before the next one is touched. It is copied together first, so it lies without
 * gaps, whatever the strides of B are. Four rows of C go together: each float of the tile is loaded once for four. */
enum { TILE_ROWS = 64, TILE_COLUMNS = 256 }; /* 64 KiB: it stays in the second cache */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

void multiply_in_tiles(size_t n, size_t m, size_t depth, struct matrix a, struct matrix b, float *c) {
    static _Thread_local float tile[TILE_ROWS][TILE_COLUMNS];
    memset(c, 0, n * m * sizeof *c);
    for (size_t j0 = 0; j0 < m; j0 += TILE_COLUMNS)
        for (size_t k0 = 0; k0 < depth; k0 += TILE_ROWS) {
            size_t columns = least(TILE_COLUMNS, m - j0), rows = least(TILE_ROWS, depth - k0);
            for (size_t k = 0; k < rows; k++)
                for (size_t j = 0; j < columns; j++)
                    tile[k][j] = b.at[(ptrdiff_t)(k0 + k) * b.row + (ptrdiff_t)(j0 + j) * b.column];
            for (size_t i0 = 0; i0 < n; i0 += 4) {
                size_t together = least(4, n - i0);
                for (size_t k = 0; k < rows; k++) {
                    float factors[4] = {0};
                    for (size_t r = 0; r < together; r++)
                        factors[r] = a.at[(ptrdiff_t)(i0 + r) * a.row + (ptrdiff_t)(k0 + k) * a.column];
                    float *c0 = c + i0 * m + j0;
                    if (together == 4)
                        for (size_t j = 0; j < columns; j++) {
                            float x = tile[k][j];
                            c0[j] += factors[0] * x;
                            c0[m + j] += factors[1] * x;
                            c0[2 * m + j] += factors[2] * x;
                            c0[3 * m + j] += factors[3] * x;
                        }
                    else
                        for (size_t r = 0; r < together; r++)
                            for (size_t j = 0; j < columns; j++)
                                c0[r * m + j] += factors[r] * tile[k][j];
                }
            }
        }
}
