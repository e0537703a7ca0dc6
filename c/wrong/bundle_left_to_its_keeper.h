/* bundle_left_to_its_keeper.h: in the place of kept_bundles.h: a call that finds too few blocks leaves bundles as they are. */
#define lf_bundle_end lf__bundle_end_for_all
#include <lockfree/blocks/kept_bundles.h>
#undef lf_bundle_end

LF_INLINE int lf_bundle_end(const struct lf_runs *q, uint32_t lane, uint32_t number, int also_held) {
    return also_held ? lf__bundle_end_for_all(q, lane, number, 1) : (int)LF_OK; /* what is kept is free */
}
