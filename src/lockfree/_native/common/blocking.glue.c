/* Operations that may sleep or take long: cffi gives the GIL up once around the whole call. */
#include "common/positions.h"

#include "common/survey.h"

LF_PY_TAKE_POSITIONS(lf_py_take_later_positions)

/* A ring with a note (the dtype of its records) that is there before anybody can see the ring. */
#define LF_PY_CREATE_RING(ring)                                                                                        \
    static int lf_py_##ring##_create(struct lf_##ring *r, const char *name, const char *note, uint64_t capacity,       \
                                     uint64_t record_size, uint64_t start) {                                           \
        int status = lf__##ring##_allocate(r, name, capacity, record_size, start);                                     \
        if (status != LF_OK)                                                                                           \
            return status;                                                                                             \
        status = lf_segment_write_note(&r->h, note, strlen(note));                                                     \
        if (status == LF_OK)                                                                                           \
            return lf_segment_publish(&r->h, name);                                                                    \
        lf_detach(&r->h);                                                                                              \
        return status;                                                                                                 \
    }
