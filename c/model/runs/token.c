/* token.c: the name of an execution, from which it is run again.
 *
 * Token: rules of waiting (g or r; h or s, G or R: of the runtimes for more threads), release sequences (1: RC11, 2: C++20;
 * 3, 4: the same with weak swaps that fail for no reason) .
 * stopped thread . its step . step bound [. spins] - the choices, a digit 0-9 a-y each, zXXXX above, a capital for
 * 2..27 zeros - objects wider than their first access - who created which thread. */
#include "runs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const rules = MAX_THREADS == 8 ? "gr" : MAX_THREADS == 16 ? "hs" : "GR";
static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxy";

void token_print(const uint16_t *trail, int length) {
    say("token\t%c%d.%d.%d.%d", rules[!R.graph_rules], 1 + R.options.c20_release_sequence + 2 * R.options.weak_failures,
        R.options.stop_thread, R.options.stop_step, R.options.steps);
    if (R.options.spins != 0)
        say(".%d", R.options.spins);
    say("-");
    for (int i = 0; i < length;) {
        int zeros = 0;
        while (i + zeros < length && trail[i + zeros] == 0 && zeros < 27)
            zeros++;
        if (zeros >= 2) {
            say("%c", 'A' + zeros - 2);
            i += zeros;
        } else {
            if (trail[i] < sizeof digits - 1)
                say("%c", digits[trail[i]]);
            else
                say("z%04x", trail[i]);
            i++;
        }
    }
    say("-");
    widths_print();
    births_print();
    say("\n");
}

/* Reads a whole number and the character behind it; moves *at behind both. */
static bool token_number(const char **at, int base, unsigned long most, char behind, unsigned long *value) {
    char *end;
    if (!isxdigit((unsigned char)**at))
        return false;
    *value = strtoul(*at, &end, base);
    if (*value > most || *end != behind)
        return false;
    *at = end + (behind != '\0');
    return true;
}

static bool token_steps(const char **at, unsigned long *steps, unsigned long *spins) {
    if (token_number(at, 10, MAX_STEPS, '-', steps))
        return true;
    return token_number(at, 10, MAX_STEPS, '.', steps) && token_number(at, 10, MAX_STEPS, '-', spins) && *spins != 0;
}

static bool token_choices(const char **at) {
    for (; **at != '-'; ++*at) {
        const char *digit = strchr(digits, **at);
        char hex[5] = "", *end = hex;
        unsigned repeat = 1, value = 0;
        if (**at == '\0')
            return false;
        if (**at >= 'A' && **at <= 'Z') {
            repeat = (unsigned)(**at - 'A') + 2;
        } else if (**at == 'z') {
            strncpy(hex, *at + 1, 4);
            value = (unsigned)strtoul(hex, &end, 16);
            if (end != hex + 4 || !isxdigit((unsigned char)hex[0]))
                return false;
            *at += 4;
        } else if (digit != NULL) {
            value = (unsigned)(digit - digits);
        } else {
            return false;
        }
        for (; repeat > 0; repeat--) {
            if (X.replay_length == MAX_TRAIL)
                return false;
            X.replay[X.replay_length++] = (uint16_t)value;
        }
    }
    ++*at;
    return true;
}

bool token_read(const char *at) {
    if (*at == '\0' || strchr(rules, at[0]) == NULL || at[1] < '1' || at[1] > '4' || at[2] != '.')
        return false;
    R.graph_rules = at[0] == rules[0];
    R.options.c20_release_sequence = (at[1] - '1') & 1;
    R.options.weak_failures = at[1] > '2';
    at += 3;
    unsigned long thread, step, steps, spins = 0;
    if (!token_number(&at, 10, MAX_THREADS - 1, '.', &thread) ||
        !token_number(&at, 10, MAX_THREAD_EVENTS, '.', &step) || !token_steps(&at, &steps, &spins) || steps == 0 ||
        !token_choices(&at))
        return false;
    R.options.stop_thread = (int)thread;
    R.options.stop_step = (int)step;
    R.options.steps = (int)steps;
    R.options.spins = (int)spins;
    while (*at == '.') {
        unsigned long address, size;
        at++;
        if (!token_number(&at, 16, UINTPTR_MAX / 4, ':', &address))
            return false;
        char behind = at[strcspn(at, ".-")];
        if (!token_number(&at, 10, 16, behind, &size) || size == 0)
            return false;
        at -= behind != '\0';
        widths_add(address, (unsigned)size);
    }
    if (*at == '-')
        for (at++; *at >= 'a' && *at < 'a' + R.most_threads && R.most_threads < MAX_THREADS - 1; at++)
            births_add(*at - 'a' + 1);
    return *at == '\0';
}
