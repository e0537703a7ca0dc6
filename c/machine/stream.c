/* Memory by size: bytes per second, and loads that wait for each other. */
#include "crew.h"
#include <lockfree/blocks/memory_limit.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lf_stream {
    int traffic;
    uint64_t bytes; /* of each thread */
};

enum { LF_CHUNK = 4096 };
typedef uint64_t lf_vector __attribute__((vector_size(16)));

static uint64_t lf_random(uint64_t *state) { /* xorshift64 */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The first word of each line is the offset of the next line: one cycle through all of them, in random order. */
static void lf_make_cycle(char *memory, uint64_t bytes) {
    uint64_t lines = bytes / LF_CACHE_LINE, state = 88172645463325252u;
    for (uint64_t i = 0; i < lines; i++)
        *(uint64_t *)(void *)(memory + i * LF_CACHE_LINE) = i * LF_CACHE_LINE;
    for (uint64_t i = lines - 1; i > 0; i--) { /* Sattolo */
        uint64_t *a = (uint64_t *)(void *)(memory + i * LF_CACHE_LINE);
        uint64_t *b = (uint64_t *)(void *)(memory + lf_random(&state) % i * LF_CACHE_LINE), kept = *a;
        *a = *b;
        *b = kept;
    }
}

static int lf_stream_prepare(struct lf_member *m) { /* the thread touches its own memory first: it is of its node */
    const struct lf_stream *job = m->crew->job;
    size_t bytes = job->bytes * (job->traffic == LF_MACHINE_COPY ? 2 : 1);
    m->own = aligned_alloc(LF_CHUNK, bytes);
    if (m->own == NULL)
        return -ENOMEM;
    memset(m->own, 1, bytes);
    if (job->traffic == LF_MACHINE_CHASE)
        lf_make_cycle(m->own, job->bytes);
    return 0;
}

static lf_vector lf_read_chunk(const char *at) {
    const lf_vector *v = (const lf_vector *)(const void *)at;
    lf_vector a = v[0], b = v[1], c = v[2], d = v[3];
    for (size_t i = 4; i < LF_CHUNK / sizeof *v; i += 4) {
        a += v[i];
        b += v[i + 1];
        c += v[i + 2];
        d += v[i + 3];
    }
    return a + b + c + d;
}

static void lf_stream_work(struct lf_member *m) {
    const struct lf_stream *job = m->crew->job;
    char *memory = m->own;
    uint64_t at = 0, done = 0;
    lf_vector sum = {0};
    while (!lf_crew_stopped(m)) {
        switch ((enum lf_machine_traffic)job->traffic) {
        case LF_MACHINE_READ:
            sum += lf_read_chunk(memory + at);
            break;
        case LF_MACHINE_WRITE:
            memset(memory + at, (int)(done >> 12) & 0xff, LF_CHUNK);
            break;
        case LF_MACHINE_COPY:
            memcpy(memory + job->bytes + at, memory + at, LF_CHUNK);
            break;
        case LF_MACHINE_CHASE:
            for (int i = 0; i < 256; i++)
                at = *(uint64_t *)(void *)(memory + at);
            done += 256;
            continue;
        case LF_MACHINE_TRAFFICS:
            return;
        }
        lf_fence_light();
        done += LF_CHUNK;
        at = at + LF_CHUNK == job->bytes ? 0 : at + LF_CHUNK;
    }
    memory[0] = (char)(sum[0] + sum[1] + at); /* somebody wants the results */
    m->share.done = done;
}

int lf_machine_stream(int traffic, uint64_t bytes, const int *cpus, int count, uint64_t ns,
                      struct lf_machine_share *shares) {
    if (traffic < 0 || traffic >= LF_MACHINE_TRAFFICS || count < 1)
        return -EINVAL;
    struct lf_stream job = {traffic, bytes / (uint64_t)count / LF_CHUNK * LF_CHUNK};
    if (job.bytes == 0)
        return -EINVAL;
    struct lf_member *members = lf_crew_members(count);
    if (members == NULL)
        return -ENOMEM;
    int error = lf_crew_run(lf_stream_prepare, lf_stream_work, &job, cpus, count, ns, members);
    for (int i = 0; i < count && error == 0; i++)
        shares[i] = members[i].share;
    free(members);
    return error;
}

uint64_t lf_machine_memory(void) { return lf_memory_available(); }
