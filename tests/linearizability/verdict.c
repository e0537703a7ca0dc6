/* The verdict about a history of a bounded queue: records on standard input, the capacity as the argument. */
#include <stdio.h>
#include <stdlib.h>
#include "linearize/linearize.h"

int main(int argc, char **argv) {
    static struct lf_history_op ops[64];
    struct lf_lin_spec spec = {.kind = LF_LIN_QUEUE, .capacity = argc > 1 ? atoi(argv[1]) : 1};
    struct lf_lin_options options = {.general_only = LF_LIN_ONLY_BY_RETURN, .no_core = 1};
    struct lf_lin_result result;
    size_t count = fread(ops, sizeof *ops, 64, stdin);
    lf_lin_check(ops, count, &spec, &options, &result);
    puts(result.verdict == LF_LIN_OK ? "OK" : result.verdict == LF_LIN_VIOLATION ? "VIOLATION" : "UNKNOWN");
    lf_lin_result_free(&result);
    return 0;
}
