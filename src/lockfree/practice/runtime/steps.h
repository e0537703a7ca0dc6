/* steps.h: a process is killed before each of its instructions, and another one looks at what it left. A file
 * `check/steps.c` of a kata defines `steps_cases`; the last has no name. */
#ifndef LOCKFREE_PRACTICE_STEPS_H
#define LOCKFREE_PRACTICE_STEPS_H

struct steps_case {
    const char *name;
    void (*prepare)(void); /* by the first process: everything anew, in memory that is shared */
    void (*victim)(void);  /* by the process that is killed; it ends with its return */
    void (*survive)(void); /* by another process, after the kill; asserts what must hold */
};
extern const struct steps_case steps_cases[];

/* How many instructions the victim had made: more than its last one if it came to its end. */
extern long steps_made;
extern int steps_ended;

#endif
