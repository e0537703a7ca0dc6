/* participants.c: which participants are alive. The death of a thread is its last store, into an imaginary object; the
 * kernel that tells of it has seen everything that the dead one did. */
#include "objects.h"

int lf_model_participant_alive(uint32_t participant) {
    uint32_t bit = participant < 32 ? (uint32_t)1 << participant : 0;
    if ((R.dead_participants & bit) != 0)
        return 0;
    bool may_die = (R.mortal & bit) != 0 || (R.client->stop_is_death && (int)participant == R.options.stop_thread);
    if (!R.running || !may_die)
        return 1;
    return model_load(death_of(participant), 8, ACQUIRE, PC) == 0;
}

void lf_model_set_participant_dead(uint32_t participant) {
    if (participant >= 32)
        return;
    uint32_t bit = (uint32_t)1 << participant;
    if (!R.running) {
        R.dead_participants |= bit;
        return;
    }
    if ((R.mortal & bit) == 0) { /* threads that asked before could not have been told */
        R.mortal |= bit;
        leave_run(RUN_AGAIN);
    }
    model_store(death_of(participant), 8, 1, RELEASE, PC);
}
