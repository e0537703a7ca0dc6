/* withdraw_marks_the_record: a withdrawal marks the record, and the taker looks at the mark afterwards. In between the
 * record is neither inside nor taken: another consumer finds the queue empty, and yet the record can be withdrawn. */
/* expect: not linearizable */
#include <stdatomic.h>

#include "lockfree_model.h"

enum { WITHDRAW = LF_MODEL_USER };
static _Atomic int inside, marked; /* one record */

static int step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    int *gone = (int *)state; /* at first the record is inside */
    if (op->what == LF_MODEL_GET && op->result == LF_MODEL_EMPTY)
        return *gone;
    if (op->what == WITHDRAW && op->result == 0)
        return *gone;
    return *gone ? 0 : (*gone = 1);
}
static const struct lf_model_spec spec = {"one record", 8, NULL, step};

static void setup(void) { atomic_store(&inside, 1); }
static void get(void) {
    lf_model_call(LF_MODEL_GET, 0);
#ifdef RIGHT
    int expected = 0;
    int mine = atomic_compare_exchange_strong(&marked, &expected, 1);
#else
    int mine = atomic_exchange(&inside, 0) && !atomic_exchange(&marked, 1);
#endif
    lf_model_return(mine ? 1 : LF_MODEL_EMPTY);
}
static void withdraw(void) {
    int expected = 0;
    lf_model_call(WITHDRAW, 0);
    lf_model_return((uint64_t)atomic_compare_exchange_strong(&marked, &expected, 1));
}
static void get_then_withdraw(void) {
    get();
    withdraw();
}

LF_MODEL_CLIENT(withdraw_marks_the_record, .setup = setup, .threads = {get, get_then_withdraw}, .spec = &spec);
