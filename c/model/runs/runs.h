/* runs.h: whole executions, the search through them, and what is said about them. */
#ifndef LOCKFREE_MODEL_RUNS_H
#define LOCKFREE_MODEL_RUNS_H

#include "../objects/objects.h"

/* signals.c */
void signals_start(void);

/* enclosed.c: walls around the client, for ever. False where the kernel has none. */
bool enclose(void);

/* judge.c: how an execution has ended. */
bool all_have_ended(void);

/* linear.c */
bool linearizable(void);

/* run.c: one execution. */
void run_start(void);
enum run_end run_once(void);

/* report.c */
void report_execution(const char *kind);

/* token.c */
bool token_read(const char *token);
void token_print(const uint16_t *trail, int length);

/* clock.c */
double seconds_now(void);
bool time_is_up(void);

/* shrink.c */
void report_failure(void);

/* search.c: all executions. */
struct totals {
    long executions, cut, blocked, bound, again;
    bool out_of_time;
    double started;
};
extern struct totals total;
void search_start(void);
void progress_start(void);
bool systematic(void);
enum run_end explore(void);
enum run_end replay(void);
void print_outcomes(void);

/* options.c */
int options_read(int argc, char **argv);
int find_client(void);

#endif
