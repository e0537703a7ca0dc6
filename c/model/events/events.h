/* events.h: what is known of an execution from its events. */
#ifndef LOCKFREE_MODEL_EVENTS_H
#define LOCKFREE_MODEL_EVENTS_H

#include "../base/base.h"

/* location.c: which bytes are one atomic object. */
void locations_reset(void);
struct loc *location_at(uintptr_t address, unsigned size);
struct loc *locations_overlapping(uintptr_t address, size_t size, struct loc *after);
void widths_print(void);
void widths_add(uintptr_t address, unsigned size);
u128 memory_get(uintptr_t address, unsigned size);
void memory_put(uintptr_t address, unsigned size, u128 value);

/* coherence.c: RC11's axiom for each location; seqcst.c: its axiom for seq_cst. hb: the clock that the new event will
 * have. */
int coherence_bound(const struct loc *loc, const clk *hb);
bool sc_allows_read(const struct loc *loc, int position, bool sc, const clk *hb);
bool sc_allows_store(const struct loc *loc, int position, bool sc, const clk *hb);
void sc_commit(struct event *event, int position);

/* asymmetric.c: the axiom of light fences and membarrier. */
bool asymmetric_allows(const struct loc *loc, int first_store, const clk *hb);

/* symmetry.c */
void symmetry_of_client(void);
void symmetry_of_created(struct thread *creator, int tid);
void symmetry_is_broken(void);
void symmetry_joins(struct thread *t, int tid, bool looks_at_result);
void symmetry_does_something_else(struct thread *t);
void symmetry_step(struct thread *t);

/* vain.c: threads that would only wait. Values, of whole locations, that a thread in that state waits with. */
void vain_forget(void);
void vain_learn(uint64_t state, u128 value);
bool vain_is_known(uint64_t state);
bool vain_is_not(u128 value, u128 state);
bool is_hopeful(const struct thread *t);
/* From one read of a thread to the next: the state in which it comes there, what it wrote to plain memory of all, and
 * where that is. Of the last two, hashes; 0: nothing. */
struct way {
    uint64_t to, written, places;
};
void step_learn(uint64_t from, u128 value, struct way way);
const struct way *step_from(uint64_t from, u128 value);
bool same_way(const struct way *a, struct way b);

/* turns.c: turns of a loop that change nothing. */
bool turns_arrive(struct thread *t, uint64_t arguments, uint64_t pc);
void turns_hope(struct thread *t, uintptr_t address);
bool turn_is_to_be_dropped(const struct thread *t);
bool turns_were_in_vain(const struct thread *t);
bool turns_would_be_in_vain(const struct thread *t, const struct loc *loc, u128 value, int order);
void turns_forget(struct thread *t);
void turns_note_write(struct thread *t, uintptr_t address, size_t size);
void turns_note_look(const struct thread *t, uintptr_t address);
void turns_note_read(const struct thread *t, const struct event *read);
void print_open_loops(void);

/* seen.c: the threads that have seen them. */
void seen_reset(void);
bool turn_was_seen(const struct thread *t);
bool turn_has_news(const struct thread *t);
bool turn_stores(const struct thread *t);

/* iteration.c: what a thread has read since its last pause, and what became of loops that were followed to their end. */
enum fate { NOT_KNOWN, GIVES_UP, WAITS_FOR_EVER };
struct loop { /* steps/loops.c */
    uint64_t key, pc;
    enum fate fate;
};
static inline bool same_read(const struct read_at *a, const struct read_at *b) {
    return a->place == b->place && a->loc == b->loc && a->value == b->value;
}
bool same_iteration(const struct iteration *a, const struct iteration *b);
void start_iteration(struct thread *t);
void break_iteration(struct thread *t);
void note_read(struct thread *t, struct loc *loc, u128 value, uint64_t pc);
bool seen_last_turn(const struct thread *t, const struct loc *loc, uint64_t pc, u128 *value);
bool newest_was_read(const struct thread *t);
void end_impatience(struct thread *t, bool by_itself);
bool could_give_up(const struct thread *t);

#endif
