/* role.h by itself: what a holder wrote is readable to the next one, whether the role was given back or recovered. */
#define LF_PARTICIPANTS 16u
#include <lockfree/blocks/role.h>

#include "lockfree_model.h"

static struct lf_handle handle[4];
static uint64_t *role;
static int written, holders;

static int view(struct lf_handle *h) { return (void)h, LF_OK; }
static int recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)h, (void)cursor;
    lf_role_recover(role, gone);
    return 1;
}
static const struct lf_kind kind = {99, view, recover, 0};

static void setup(void) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    void *memory = lf_model_shared(LF_BODY_OFFSET + LF_CACHE_LINE);
    lf_model_assert(lf_segment_create_local(&handle[0], &kind, memory, LF_BODY_OFFSET + LF_CACHE_LINE, geometry) ==
                    LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&handle[t], &kind, memory, t) == LF_OK);
    role = (uint64_t *)(void *)handle[0].body;
    lf_model_label(role, 8, "role");
}

static void hold(void) {
    struct lf_handle *mine = &handle[lf_model_thread()];
    if (lf_role_take(mine, role) != LF_OK)
        return;
    lf_model_assert(lf_role_is_mine(mine, role));
    written++;
    lf_model_assert(lf_fetch_add_relaxed(&holders, 1) == 0);
    lf_fetch_add_relaxed(&holders, -1);
    lf_role_give_back(role);
}

/* Thread 1 may die while it holds the role; thread 2 recovers, thread 3 comes next. */
static void mortal(void) {
    if (lf_role_take(&handle[1], role) != LF_OK)
        return;
    written = 1;
    lf_role_give_back(role);
}
static void reap(void) {
    if (!lf_model_participant_alive(1))
        lf_reap(&handle[2]);
}
static void take_over(void) {
    if (lf_role_take(&handle[3], role) == LF_OK)
        written++;
}

LF_MODEL_CLIENT(role_passes_on, .setup = setup, .threads = {hold, hold});
LF_MODEL_CLIENT(role_passes_on_twice, .setup = setup, .threads = {hold, hold, hold});
LF_MODEL_CLIENT(role_of_the_dead, .setup = setup, .threads = {mortal, reap, take_over}, .stop_is_death = 1,
                .may_stop = 2);
