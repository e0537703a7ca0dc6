/* One thread: the other one never comes. */
#include "lockfree_model.h"
#include "peterson.h"

static struct peterson lock;

static void again_and_again(void) {
    for (int turn = 0; turn < 3; turn++) {
        peterson_lock(&lock, 0);
        peterson_unlock(&lock, 0);
    }
    for (int turn = 0; turn < 3; turn++) {
        peterson_lock(&lock, 1);
        peterson_unlock(&lock, 1);
    }
    peterson_lock(&lock, 0);
}

LF_MODEL_CLIENT(edge_alone, .threads = {again_and_again});
