/* What the clients share. */
#include "lockfree_model.h"
#include "message_passing.h"

static struct letter_box box;

static inline int put(uint64_t number) {
    struct letter letter = {number, ~number};
    lf_model_call(LF_MODEL_PUT, number);
    int done = letter_put(&box, &letter);
    lf_model_return(done ? 0 : LF_MODEL_FULL);
    return done;
}

static inline int take(void) {
    struct letter letter = {0, 0};
    lf_model_call(LF_MODEL_GET, 0);
    int done = letter_take(&box, &letter);
    lf_model_assert(!done || letter.text == ~letter.number); /* torn */
    lf_model_return(done ? letter.number : LF_MODEL_EMPTY);
    return done;
}
