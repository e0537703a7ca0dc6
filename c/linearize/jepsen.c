#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "linearize/edn.h"

/* What a process runs: its name, value and key, as JSON, one after the other. */
struct lf_process {
    int64_t number;
    bool used, running;
    uint64_t line;
    int64_t call;
    char *json;
    size_t room, length[3];
};

struct lf_pairs {
    struct lf_edn_reader reader;
    struct lf_edn entry, *out;
    struct lf_process *process;
    size_t slots, n;
    bool any; /* a row was written */
};

static int lf_pairs_fail(struct lf_pairs *p, const char *format, long long process, const char *text, size_t count) {
    if (!p->entry.error[0])
        snprintf(p->entry.error, sizeof p->entry.error, format, process, (int)(count > 60 ? 60 : count), text);
    p->entry.line = p->reader.line;
    return -1;
}

static int lf_pairs_write(struct lf_pairs *p, const char *bytes, size_t count) {
    struct lf_edn *o = p->out;
    if (o->bytes + count > o->room) {
        size_t room = 2 * o->room + count + 4096;
        char *bigger = realloc(o->json, room);
        if (!bigger)
            return lf_pairs_fail(p, "out of memory", 0, "", 0);
        o->json = bigger;
        o->room = room;
    }
    memcpy(o->json + o->bytes, bytes, count);
    o->bytes += count;
    return 0;
}

static struct lf_process *lf_process_at(struct lf_process *process, size_t slots, int64_t number) {
    size_t h = ((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (slots - 1);
    while (process[h].used && process[h].number != number)
        h = (h + 1) & (slots - 1);
    return &process[h];
}

static struct lf_process *lf_pairs_process(struct lf_pairs *p, int64_t number) {
    if (2 * (p->n + 1) > p->slots) {
        size_t slots = p->slots ? 2 * p->slots : 64;
        struct lf_process *bigger = calloc(slots, sizeof *bigger);
        if (!bigger)
            return NULL;
        for (size_t i = 0; i < p->slots; i++)
            if (p->process[i].used)
                *lf_process_at(bigger, slots, p->process[i].number) = p->process[i];
        free(p->process);
        p->process = bigger;
        p->slots = slots;
    }
    struct lf_process *found = lf_process_at(p->process, p->slots, number);
    p->n += !found->used;
    found->used = true;
    found->number = number;
    return found;
}

static const char *lf_pairs_field(const struct lf_pairs *p, int field, size_t *n) {
    struct lf_edn_slice s = p->reader.field[field];
    *n = s.to - s.from;
    if (*n)
        return p->entry.json + s.from;
    *n = 4;
    return "null";
}

static bool lf_pairs_integer(const char *s, size_t n, int64_t *value) {
    char digits[24], *end;
    if (!n || n >= sizeof digits)
        return false;
    memcpy(digits, s, n);
    digits[n] = 0;
    *value = strtoll(digits, &end, 10);
    return *end == 0;
}

static bool lf_pairs_is(const char *s, size_t n, const char *word) {
    return n == strlen(word) + 2 && !memcmp(s + 1, word, n - 2);
}

static int lf_pairs_begin(struct lf_pairs *p, struct lf_process *process, int64_t now) {
    static const int kept[3] = {LF_EDN_F, LF_EDN_VALUE, LF_EDN_KEY};
    size_t at = 0, n;
    if (process->running)
        return lf_pairs_fail(p, "process %lld invokes while its last operation runs", process->number, "", 0);
    for (int i = 0; i < 3; i++) {
        const char *s = lf_pairs_field(p, kept[i], &n);
        if (i == 0 && *s != '"')
            return lf_pairs_fail(p, "the :f of process %lld is not a name: %.*s", process->number, s, n);
        if (at + n > process->room) {
            size_t room = 2 * (at + n) + 64;
            char *bigger = realloc(process->json, room);
            if (!bigger)
                return lf_pairs_fail(p, "out of memory", 0, "", 0);
            process->json = bigger;
            process->room = room;
        }
        memcpy(process->json + at, s, n);
        process->length[i] = n;
        at += n;
    }
    process->running = true;
    process->line = p->reader.line;
    process->call = now;
    return 0;
}

static int lf_pairs_end(struct lf_pairs *p, struct lf_process *process, int64_t now, const char *type, size_t type_n,
                        const char *came, size_t came_n) {
    char head[128];
    int n = snprintf(head, sizeof head, "%s[%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",", p->any ? ",\n" : "",
                     process->line, process->call, now, process->number);
    const char *f = process->json, *given = f + process->length[0], *key = given + process->length[1];
    bool failed = lf_pairs_write(p, head, (size_t)n) || lf_pairs_write(p, type, type_n) || lf_pairs_write(p, ",", 1) ||
                  lf_pairs_write(p, f, process->length[0]) || lf_pairs_write(p, ",", 1) ||
                  lf_pairs_write(p, given, process->length[1]) || lf_pairs_write(p, ",", 1) ||
                  lf_pairs_write(p, came, came_n) || lf_pairs_write(p, ",", 1) ||
                  lf_pairs_write(p, key, process->length[2]) || lf_pairs_write(p, "]", 1);
    process->running = false;
    p->any = true;
    return failed ? -1 : 0;
}

static int lf_pairs_entry(struct lf_pairs *p, int64_t *now) {
    size_t n, type_n;
    const struct lf_edn_slice *field = p->reader.field;
    const char *type = lf_pairs_field(p, LF_EDN_TYPE, &type_n), *s;
    int64_t at, number;
    if (field[LF_EDN_TYPE].to == field[LF_EDN_TYPE].from || field[LF_EDN_F].to == field[LF_EDN_F].from)
        return lf_pairs_fail(p, "not a Jepsen operation (a map with :type and :f)", 0, "", 0);
    bool invoke = lf_pairs_is(type, type_n, "invoke"), info = lf_pairs_is(type, type_n, "info");
    if (!invoke && !info && !lf_pairs_is(type, type_n, "ok") && !lf_pairs_is(type, type_n, "fail"))
        return lf_pairs_fail(p, ":type is none of :invoke :ok :fail :info%.0lld: %.*s", 0, type, type_n);
    s = lf_pairs_field(p, LF_EDN_TIME, &n);
    if (field[LF_EDN_TIME].to == field[LF_EDN_TIME].from)
        at = *now + 1;
    else if (!lf_pairs_integer(s, n, &at))
        return lf_pairs_fail(p, ":time is not a number of nanoseconds%.0lld: %.*s", 0, s, n);
    *now = at > *now ? at : *now + 1; /* the order of the file is what counts */
    s = lf_pairs_field(p, LF_EDN_PROCESS, &n);
    if (field[LF_EDN_PROCESS].to == field[LF_EDN_PROCESS].from)
        return lf_pairs_fail(p, "an operation without :process%.0lld%.*s", 0, "", 0);
    if (!lf_pairs_integer(s, n, &number))
        return 0; /* the nemesis */
    struct lf_process *process = lf_pairs_process(p, number);
    if (!process)
        return lf_pairs_fail(p, "out of memory", 0, "", 0);
    if (invoke)
        return lf_pairs_begin(p, process, *now);
    const char *f = lf_pairs_field(p, LF_EDN_F, &n);
    if (process->running && (n != process->length[0] || memcmp(f, process->json, n)))
        return lf_pairs_fail(p, "process %lld completes another operation than it invoked: %.*s", number, f, n);
    if (!process->running)
        return info ? 0 : lf_pairs_fail(p, "process %lld completes what it did not invoke", number, "", 0);
    s = lf_pairs_field(p, LF_EDN_VALUE, &n);
    return lf_pairs_end(p, process, *now, type, type_n, s, n);
}

int lf_jepsen_pairs(const char *text, size_t bytes, struct lf_edn *edn) {
    struct lf_pairs p = {.out = edn};
    p.reader = (struct lf_edn_reader){.s = text, .end = text + bytes, .out = &p.entry};
    p.entry.line = 1;
    memset(edn, 0, sizeof *edn);
    int64_t now = -1;
    int more = lf_pairs_write(&p, "[", 1);
    while (more >= 0 && (more = lf_edn_entry(&p.reader)) == 1)
        if (lf_pairs_entry(&p, &now))
            more = -1;
    for (size_t i = 0; more == 0 && i < p.slots; i++)
        if (p.process[i].running)
            more = lf_pairs_end(&p, &p.process[i], now, "\"info\"", 6, "null", 4);
    if (more == 0)
        more = lf_pairs_write(&p, "]", 1);
    edn->line = p.entry.line;
    memcpy(edn->error, p.entry.error, sizeof edn->error);
    for (size_t i = 0; i < p.slots; i++)
        free(p.process[i].json);
    free(p.process);
    lf_edn_free(&p.entry);
    return more;
}
