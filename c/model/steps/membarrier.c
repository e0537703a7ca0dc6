/* membarrier.c: light and heavy fences as steps. Their axiom: events/asymmetric.c. */
#include "rc11.h"

void model_light_fence(uint64_t pc) {
    if (!R.running || !R.uses_membarrier)
        return;
    enter_step();
    int id = R.events;
    struct event *e = event_new(EV_FENCE, RELAXED, NULL, pc);
    e->light = (R.client->no_membarrier >> e->tid & 1) != 0 ? LIGHT_UNREACHED : LIGHT_REACHED;
    R.any_light = true;
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_added(id);
}

/* The fence of the caller is a full one, too. */
static void heavy_fence(enum heavy heavy, uint64_t pc) {
    if (!R.running)
        return;
    if (!R.uses_membarrier) { /* light fences before this one were not noted */
        R.uses_membarrier = true;
        leave_run(RUN_AGAIN);
    }
    model_fence(SEQ_CST, pc); /* others may run before it */
    R.event[R.by_thread[R.current->tid][R.current->events - 1]].heavy = (uint8_t)heavy;
    R.any_heavy = true;
}

bool membarrier_is_allowed(void) {
    return !R.running || R.current == NULL || (R.client->no_membarrier >> R.current->tid & 1) == 0;
}

int membarrier(uint64_t pc) {
    if (!membarrier_is_allowed())
        return 0;
    heavy_fence(HEAVY_MEMBARRIER, pc);
    return 1;
}

int lf_model_membarrier(void) { return membarrier(PC); }
int lf_model_membarrier_register(void) { return membarrier_is_allowed(); }
void lf_model_settle(void) { heavy_fence(HEAVY_SETTLED, PC); }
