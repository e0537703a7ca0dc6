/* lock_without_exclusion.h: mutex.h with a lock word that is found free, then taken. */
#include <lockfree/blocks/owner_lock.h>

LF_INLINE int lf_wrong_acquire(struct lf_handle *h, uint64_t *word, uint32_t spins, uint64_t deadline) {
    for (uint32_t tries = 0;; tries++) {
        if (lf__lock_participant(lf_load_acquire(word)) == 0) {
            lf_store_release(word, lf__lock_me(h)); /* somebody else may have done so in between */
            return LF_OK;
        }
        if (deadline == 0 || (deadline != LF_FOREVER && lf_now() >= deadline))
            return LF_TIMEDOUT;
        if (tries < spins)
            lf_pause();
        else
            lf_nap(10000);
    }
}
LF_INLINE int lf_wrong_release(struct lf_handle *h, uint64_t *word) {
    if (!lf_owner_lock_is_mine(h, word))
        return LF_NOT_OWNER;
    lf_store_release(word, (uint64_t)0);
    return LF_OK;
}

#define lf_owner_lock_acquire lf_wrong_acquire
#define lf_owner_lock_acquire_awhile lf_wrong_acquire
#define lf_owner_lock_release lf_wrong_release
#include <lockfree/mutex.h>
#undef lf_owner_lock_acquire
#undef lf_owner_lock_acquire_awhile
#undef lf_owner_lock_release
