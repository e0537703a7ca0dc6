/* A worker in C: takes requests from one ring, answers on another. Needs c/include and nothing else.
 *
 *   cc -O2 -I "$(python -c 'import lockfree; print(lockfree.get_include())')" worker.c -o worker
 *   ./worker REQUESTS ANSWERS */
#include <lockfree/lockfree.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static void need(int status, const char *what, const struct lf_handle *h) {
    if (status == LF_OK)
        return;
    fprintf(stderr, "%s: status %d%s%s\n", what, status, status == LF_SYSTEM ? ": " : "",
            status == LF_SYSTEM ? strerror(h->error) : "");
    exit(1);
}

int main(int argc, char **argv) {
    struct lf_mpmc_ring requests, answers;
    char record[256];
    if (argc != 3)
        return 2;
    need(lf_mpmc_ring_attach(&requests, argv[1]), argv[1], &requests.h);
    need(lf_mpmc_ring_attach(&answers, argv[2]), argv[2], &answers.h);
    if (requests.record_size > sizeof record || answers.record_size < requests.record_size)
        return 2;
    int status;
    do
        status = lf_mpmc_ring_put(&answers, "", 0, LF_FOREVER); /* an empty record: here I am */
    while (status == LF_INTERRUPTED);
    need(status, "put", &answers.h);
    for (;;) {
        int64_t length = lf_mpmc_ring_get(&requests, record, LF_FOREVER);
        if (length == LF_INTERRUPTED)
            continue; /* a signal, or a moment to do housekeeping */
        if (length == 0)
            break; /* an empty record is our sign to stop */
        if (length < 0)
            need((int)length, "get", &requests.h);
        for (int64_t i = 0; i < length; i++)
            record[i] = (char)toupper((unsigned char)record[i]);
        do
            status = lf_mpmc_ring_put(&answers, record, (uint64_t)length, LF_FOREVER);
        while (status == LF_INTERRUPTED);
        need(status, "put", &answers.h);
    }
    lf_detach(&requests.h);
    lf_detach(&answers.h);
    return 0;
}
