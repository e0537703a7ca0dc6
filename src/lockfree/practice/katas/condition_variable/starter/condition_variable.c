#include "condition_variable.h"

struct condition {
    _Atomic uint32_t word;
};

size_t condition_size(void) { return sizeof(struct condition); }

void condition_init(struct condition *condition, uint32_t start) { atomic_init(&condition->word, start); }

void condition_wait(struct condition *condition, struct mutex *mutex) {
    (void)condition;
    (void)mutex;
}

void condition_signal(struct condition *condition) { (void)condition; }

void condition_broadcast(struct condition *condition) { (void)condition; }
