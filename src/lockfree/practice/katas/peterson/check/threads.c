/* On the real machine: two threads count up a plain number. */
#include <assert.h>
#include <pthread.h>
#include <stdint.h>

#include "peterson.h"

enum { TURNS = 2000 };

static struct peterson lock;
static long count;

static void *work(void *number) {
    int me = (int)(intptr_t)number;
    for (int turn = 0; turn < TURNS; turn++) {
        peterson_lock(&lock, me);
        count++;
        peterson_unlock(&lock, me);
    }
    return NULL;
}

int main(void) {
    pthread_t other;
    int failed = pthread_create(&other, NULL, work, (void *)1);
    assert(!failed);
    work((void *)0);
    pthread_join(other, NULL);
    assert(count == 2L * TURNS && "no increment is lost");
    return 0;
}
