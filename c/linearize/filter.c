/* FULL and EMPTY in their weak modes do not depend on the order that explains the history: they are settled
 * here, once, and the rest of the engine skips them.
 *
 * FULL (in hand): a record uses a slot from the call of its put until the return of its get, so the slots that
 * may be in use at an instant are: puts called by then minus gets returned by then. */
#include "linearize/internal.h"

static bool lin_puts(const struct lf_history_op *op) { return op->op == LF_OP_PUT || op->op == LF_OP_PUSH; }
static bool lin_gets(const struct lf_history_op *op) { return op->op == LF_OP_GET || op->op == LF_OP_POP; }

/* best[g]: slots that may be in use in gap g; counts failing operations too when `running` */
static uint32_t *lin_slots_in_use(struct lin_problem *p, bool running) {
  uint32_t *use = lin_alloc(p->run, p->events + 1, sizeof *use), now = 0;
  if (!use) return NULL;
  for (uint32_t r = 0; r < p->events; r++) {
    const struct lf_history_op *op = lin_op(p, p->event[r] >> 1);
    bool returns = p->event[r] & 1;
    if (lin_puts(op) && !lin_failed(op)) now += !returns;
    else if (lin_gets(op) && !lin_failed(op) && !lin_pending(op)) {
      /* before its return, the record it takes is counted from its put */
      if (returns) now--;
    } else if (running && (lin_puts(op) || lin_gets(op)) && !lin_pending(op)) now += returns ? UINT32_MAX : 1;
    use[r] = now;
  }
  return use;
}

static int lin_reject_not_full(struct lin_problem *p, uint32_t put, uint32_t gap, uint32_t most) {
  uint32_t *core = lin_alloc(p->run, 1 + (size_t)p->n, sizeof *core), count = 0;
  if (!core) return LIN_UNDECIDED;
  core[count++] = put;
  for (uint32_t i = 0; i < p->n; i++)
    if (i != put && p->call[i] <= gap && gap < p->ret[i]) core[count++] = i;
  return lin_reject(p, LF_LIN_NOT_FULL, put, core, count, most, p->run->spec->capacity);
}

static bool lin_settle_full(struct lin_problem *p, int *decision) {
  struct lin_run *run = p->run;
  bool running = run->spec->full == LF_LIN_RUNNING;
  uint32_t *use = lin_slots_in_use(p, running);
  if (!use) return false;
  for (uint32_t i = 0; i < p->n; i++) {
    const struct lf_history_op *op = lin_op(p, i);
    if (!lin_puts(op) || !lin_failed(op)) continue;
    uint32_t most = 0, at = p->call[i];
    uint64_t enough = run->spec->capacity ? (uint64_t)run->spec->capacity + running : UINT64_MAX;
    for (uint32_t g = p->call[i]; g < p->ret[i] && most < enough; g++) if (use[g] > most) most = use[g], at = g;
    p->skip[i] = 1;
    if (most >= enough) continue;
    *decision = lin_reject_not_full(p, i, at, most - running);
    break;
  }
  lin_free(run, use);
  return !run->stopped;
}

static bool lin_settle_empty(struct lin_problem *p) {
  struct lin_run *run = p->run;
  uint32_t *last = lin_alloc(run, p->events + 1, sizeof *last), running = 0, seen = 0;
  if (!last) return false;
  /* last[g]: 1 + the last gap <= g in which a put was running */
  for (uint32_t r = 0; r < p->events; r++) {
    const struct lf_history_op *op = lin_op(p, p->event[r] >> 1);
    if (lin_puts(op) && !lin_failed(op)) running += p->event[r] & 1 ? UINT32_MAX : 1;
    last[r] = running ? (seen = r + 1) : seen;
  }
  for (uint32_t i = 0; i < p->n; i++) {
    const struct lf_history_op *op = lin_op(p, i);
    if (lin_gets(op) && lin_failed(op) && last[p->ret[i] - 1] > p->call[i]) p->skip[i] = 1;
  }
  lin_free(run, last);
  return true;
}

/* False when out of memory or time; *decision becomes LIN_REJECT when a weak FULL cannot be. */
bool lin_filter_answers(struct lin_problem *p, int *decision) {
  const struct lf_lin_spec *spec = p->run->spec;
  bool container = spec->kind == LF_LIN_QUEUE || spec->kind == LF_LIN_STACK || spec->kind == LF_LIN_PRIORITY_QUEUE;
  if (!container || (spec->full == LF_LIN_STRICT && spec->empty == LF_LIN_STRICT)) return true;
  p->skip = lin_alloc(p->run, p->n, 1);
  if (!p->skip) return false;
  memset(p->skip, 0, p->n);
  if (spec->full != LF_LIN_STRICT && !lin_settle_full(p, decision)) return false;
  if (spec->empty != LF_LIN_STRICT && !lin_settle_empty(p)) return false;
  return true;
}
