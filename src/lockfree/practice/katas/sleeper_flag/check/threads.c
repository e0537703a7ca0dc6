/* On the real machine: 1000 events, each waited for by two threads. */
#include "futex_given.h"

#include <assert.h>
#include <pthread.h>

#include "sleeper_flag.h"

enum { EVENTS = 1000 };

static struct event events[EVENTS], answers[2][EVENTS];
static int data[EVENTS];

static void *listen(void *answers_of) {
    for (int i = 0; i < EVENTS; i++) {
        event_wait(&events[i]);
        assert(data[i] == i && "what was written before the set is there after the wait");
        event_set((struct event *)answers_of + i);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        int failed = pthread_create(&threads[i], NULL, listen, answers[i]);
        assert(!failed);
    }
    for (int i = 0; i < EVENTS; i++) {
        data[i] = i;
        event_set(&events[i]);
        event_wait(&answers[0][i]);
        event_wait(&answers[1][i]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
