/* Where a counterexample can end and begin. A prefix of a history that has a linearization has one, too (operations still
 * running there become pending). It can begin where nobody runs and the state is known: where a container is empty, a lock
 * free, or the successful calls of a counter or a semaphore say what its value is. */
#include "linearize/shrink.h"

/* Objects that are as at the start when all that came in, or was acquired, is out again. */
static bool lin_empties(const struct lf_lin_spec *spec) {
    return spec->kind == LF_LIN_QUEUE || spec->kind == LF_LIN_STACK || spec->kind == LF_LIN_PRIORITY_QUEUE ||
           spec->kind == LF_LIN_MUTEX || spec->kind == LF_LIN_RWLOCK;
}

static bool lin_comes_in(const struct lf_history_op *o) {
    return lin_is_put(o) || o->op == LF_OP_ACQUIRE || o->op == LF_OP_READ_ACQUIRE || o->op == LF_OP_WRITE_ACQUIRE;
}

static bool lin_goes_out(const struct lf_history_op *o) {
    return lin_is_get(o) || o->op == LF_OP_RELEASE || o->op == LF_OP_READ_RELEASE || o->op == LF_OP_WRITE_RELEASE;
}

/* `to` may be `from`, `to_origin` may be `origin`. */
uint32_t lin_cut(const struct lf_history_op *from, const uint32_t *origin, uint32_t n, uint64_t end,
                 struct lf_history_op *to, uint32_t *to_origin) {
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (from[i].call > end)
            continue;
        to[k] = from[i];
        to_origin[k] = origin[i];
        if (to[k].ret != LF_HISTORY_PENDING && to[k].ret > end)
            to[k].ret = LF_HISTORY_PENDING;
        k++;
    }
    return k;
}

/* Of instants, and of passes, which begin with one. */
static int lin_by_time(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The shortest prefix that is still wrong: prefixes of a linearizable history are linearizable, so bisect. */
void lin_shortest_prefix(struct lin_shrink *s) {
    uint64_t *end = malloc((s->n + 1) * sizeof *end);
    uint32_t lo = 0, hi = 0;
    if (!end)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        if (!lin_pending(&s->ops[i]))
            end[hi++] = s->ops[i].ret;
    qsort(end, hi, sizeof *end, lin_by_time);
    if (!hi) {
        free(end);
        return;
    }
    uint32_t last = hi - 1;
    for (hi = last; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2, n = lin_cut(s->ops, s->origin, s->n, end[mid], s->some, s->kept);
        if (lin_is_late(s)) {
            lo = hi = last;
            break;
        }
        struct lf_lin_result result;
        int32_t verdict = lin_verdict_of(s, s->some, s->kept, n, &result);
        lf_lin_result_free(&result);
        if (verdict == LF_LIN_VIOLATION)
            hi = mid;
        else
            lo = mid + 1;
    }
    s->n = lin_cut(s->ops, s->origin, s->n, end[hi], s->ops, s->origin);
    free(end);
}

/* What comes in and goes out again: a value with its priority, or a client's hold on a lock. */
static uint64_t lin_what_moves(const struct lf_history_op *o) {
    if (lin_is_put(o) || lin_is_get(o))
        return lin_mix(lin_mix((uint64_t)(lin_is_put(o) ? o->arg : o->result)) + (uint64_t)lin_second(o) + 1);
    return lin_mix((uint64_t)o->client << 8 | (uint8_t)(o->op - !lin_comes_in(o)));
}

/* A return, and what it changes: sums of hashes are 0 where all that came in is out again. */
struct lin_passage {
    uint64_t ret, change;
};

/* Instants at which nobody runs and all that was put was got; how many. That as many were put as were got is not enough:
 * in a wrong history the others may be inside. */
static uint32_t lin_empty_instants(const struct lin_shrink *s, uint64_t *instant) {
    uint64_t *call = malloc((s->n + 1) * sizeof *call), inside = 0;
    struct lin_passage *pass = malloc((s->n + 1) * sizeof *pass);
    uint32_t passes = 0, count = 0;
    if (call && pass) {
        for (uint32_t i = 0; i < s->n; i++) {
            const struct lf_history_op *o = &s->ops[i];
            call[i] = o->call;
            if (lin_pending(o))
                continue;
            bool in = !lin_failed(o) && lin_comes_in(o), out = !lin_failed(o) && lin_goes_out(o);
            uint64_t what = in || out ? lin_what_moves(o) : 0;
            pass[passes++] = (struct lin_passage){o->ret, in ? what : -what};
        }
        qsort(call, s->n, sizeof *call, lin_by_time);
        qsort(pass, passes, sizeof *pass, lin_by_time);
        for (uint32_t r = 0; r + 1 < passes; r++) {
            uint64_t now = pass[r].ret;
            inside += pass[r].change;
            if (now < pass[r + 1].ret && call[r] <= now && call[r + 1] > now && !inside)
                instant[count++] = now;
        }
    }
    free(pass), free(call);
    return count;
}

/* Forgets what is before the last such instant after which it is still wrong. */
void lin_from_empty(struct lin_shrink *s) {
    uint64_t *instant = malloc((s->n + 1) * sizeof *instant);
    if (instant && lin_empties(s->run->spec)) {
        uint32_t lo = 0, hi = lin_empty_instants(s, instant), units = s->units;
        s->units = 1;
        while (lo < hi) { /* right after `hi`, wrong after `lo` - 1 */
            uint32_t mid = lo + (hi - lo) / 2;
            for (uint32_t i = 0; i < s->n; i++)
                s->unit[i] = s->ops[i].call > instant[mid] ? LIN_NO : 0;
            s->gone[0] = 1;
            if (lin_still_wrong(s))
                lo = mid + 1;
            else
                hi = mid;
        }
        for (uint32_t i = 0; i < s->n; i++)
            s->unit[i] = lo && s->ops[i].call <= instant[lo - 1] ? 0 : LIN_NO;
        s->gone[0] = 1;
        lin_compact(s);
        s->units = units;
    }
    free(instant);
}

/* Cuts the candidate where it breaks, unless that hides why: a value taken before its put was called is shown with that
 * put, not as a value from nowhere. */
void lin_end_it(struct lin_shrink *s) {
    uint32_t n = s->n;
    struct lf_history_op *ops = malloc((n + 1) * sizeof *ops);
    uint32_t *origin = malloc((n + 1) * sizeof *origin);
    if (ops && origin) {
        memcpy(ops, s->ops, n * sizeof *ops);
        memcpy(origin, s->origin, n * sizeof *origin);
        lin_shortest_prefix(s);
        if (!lin_says_so(s)) {
            memcpy(s->ops, ops, n * sizeof *ops);
            memcpy(s->origin, origin, n * sizeof *origin);
            s->n = n;
        }
    }
    free(origin), free(ops);
}

/* -- known values ----------------------------------------------------------------------------------------------- */

/* Instants at which nobody runs, in order; how many. */
static uint32_t lin_quiet_instants(const struct lin_shrink *s, uint64_t *instant) {
    uint64_t *call = malloc((s->n + 1) * sizeof *call), *ret = malloc((s->n + 1) * sizeof *ret);
    uint32_t returns = 0, count = 0;
    for (uint32_t i = 0; call && ret && i < s->n; i++) {
        call[i] = s->ops[i].call;
        if (!lin_pending(&s->ops[i]))
            ret[returns++] = s->ops[i].ret;
    }
    if (call && ret) {
        qsort(call, s->n, sizeof *call, lin_by_time);
        qsort(ret, returns, sizeof *ret, lin_by_time);
        for (uint32_t r = 0; r + 1 < returns; r++)
            if (r + 1 < s->n && ret[r] < ret[r + 1] && call[r + 1] > ret[r])
                instant[count++] = ret[r];
    }
    free(ret), free(call);
    return count;
}

/* The value of a counter or a semaphore at an instant at which nobody runs. Puts what had returned into unit 0. */
static int64_t lin_value_at(struct lin_shrink *s, uint64_t instant) {
    uint64_t value = (uint64_t)(s->started ? s->start[0] : s->run->spec->initial);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct lf_history_op *o = &s->ops[i];
        s->unit[i] = o->ret <= instant ? 0 : LIN_NO;
        if (s->unit[i] != LIN_NO && !lin_failed(o) && o->op != LF_OP_LOAD)
            value += o->op == LF_OP_ACQUIRE ? -(uint64_t)o->arg : (uint64_t)o->arg;
    }
    return (int64_t)value;
}

static void lin_start_at(struct lin_shrink *s, int64_t value, bool started) {
    s->start[0] = value;
    s->start_count = started;
    s->started = started;
}

void lin_from_known_value(struct lin_shrink *s) {
    uint64_t *instant = malloc((s->n + 1) * sizeof *instant);
    if (instant && (s->run->spec->kind == LF_LIN_COUNTER || s->run->spec->kind == LF_LIN_SEMAPHORE)) {
        uint32_t lo = 0, hi = lin_quiet_instants(s, instant), units = s->units;
        bool started = s->started;
        int64_t first = s->start[0];
        s->units = 1;
        s->gone[0] = 1;
        while (lo < hi) { /* right after `hi`, wrong after `lo` - 1 */
            uint32_t mid = lo + (hi - lo) / 2;
            lin_start_at(s, lin_value_at(s, instant[mid]), true);
            bool wrong = lin_still_wrong(s);
            lin_start_at(s, first, started);
            if (wrong)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (lo) {
            lin_start_at(s, lin_value_at(s, instant[lo - 1]), true);
            lin_compact(s);
        }
        s->units = units;
    }
    free(instant);
}
