/* The records of a history in memory, with the texts of their values and the names of their operations. */
#include "linearize/reader.h"

static const struct {
    const char *name;
    uint8_t code;
} lf_names[] = {{"put", LF_OP_PUT},
                {"get", LF_OP_GET},
                {"push", LF_OP_PUSH},
                {"pop", LF_OP_POP},
                {"write", LF_OP_WRITE},
                {"read", LF_OP_READ},
                {"cas", LF_OP_CAS},
                {"fetch_add", LF_OP_FETCH_ADD},
                {"load", LF_OP_LOAD},
                {"acquire", LF_OP_ACQUIRE},
                {"release", LF_OP_RELEASE},
                {"read_acquire", LF_OP_READ_ACQUIRE},
                {"read_release", LF_OP_READ_RELEASE},
                {"write_acquire", LF_OP_WRITE_ACQUIRE},
                {"write_release", LF_OP_WRITE_RELEASE},
                {"add", LF_OP_ADD},
                {"remove", LF_OP_REMOVE},
                {"contains", LF_OP_CONTAINS},
                {"alloc", LF_OP_ALLOC},
                {"free", LF_OP_FREE},
                {"append", LF_OP_APPEND},
                {"peek", LF_OP_PEEK},
                {"insert", LF_OP_INSERT},
                {"delete", LF_OP_DELETE},
                {"put_front", LF_OP_PUT_FRONT}};

int lf_fail(struct lf_history_reader *r, const char *what, const char *detail, size_t count) {
    if (!r->error[0]) {
        snprintf(r->error, sizeof r->error, count ? "%s %.*s" : "%s", what, (int)(count > 80 ? 80 : count), detail);
        r->error_line = r->line;
    }
    return -1;
}

struct lf_history_reader *lf_history_reader_new(int any_operation) {
    struct lf_history_reader *r = calloc(1, sizeof *r);
    if (r)
        r->any_operation = any_operation;
    return r;
}

void lf_history_reader_free(struct lf_history_reader *r) {
    if (!r)
        return;
    for (int i = 0; i < LF_NAMES; i++)
        free(r->name[i]);
    free(r->same), free(r->text_slot), free(r->text_start), free(r->text), free(r->jump), free(r->carry), free(r->op),
        free(r);
}

const char *lf_history_reader_error(const struct lf_history_reader *r) { return r->error; }
uint64_t lf_history_reader_error_line(const struct lf_history_reader *r) { return r->error_line; }
struct lf_history_op *lf_history_reader_ops(struct lf_history_reader *r, size_t *count) {
    *count = r->n;
    return r->op;
}
size_t lf_history_reader_texts(const struct lf_history_reader *r) { return r->texts; }
const char *lf_history_reader_text_at(const struct lf_history_reader *r, size_t i, size_t *count) {
    if (i >= r->texts)
        return NULL;
    *count = r->text_start[i + 1] - r->text_start[i];
    return r->text + r->text_start[i];
}

uint64_t lf_history_reader_line(const struct lf_history_reader *r, size_t op) {
    uint64_t line = op + 1;
    for (size_t i = 0; i < r->jumps && r->jump[i].op <= op; i++)
        line = op + r->jump[i].line;
    return line;
}

int lf_room(struct lf_history_reader *r, void *memory, size_t *room, size_t need, size_t size) {
    if (need <= *room)
        return 0;
    size_t wanted = *room ? *room : 64;
    while (wanted < need)
        wanted *= 2;
    void *bigger = realloc(*(void **)memory, wanted * size);
    if (!bigger)
        return lf_fail(r, "out of memory", "", 0);
    *(void **)memory = bigger;
    *room = wanted;
    return 0;
}

struct lf_history_op *lf_history_reader_append(struct lf_history_reader *r) {
    if (lf_room(r, &r->op, &r->room, r->n + 1, sizeof *r->op))
        return NULL;
    memset(&r->op[r->n], 0, sizeof *r->op);
    return &r->op[r->n++];
}

int lf_history_reader_extend(struct lf_history_reader *r, const struct lf_history_op *ops, size_t count) {
    if (lf_room(r, &r->op, &r->room, r->n + count, sizeof *r->op))
        return -1;
    memcpy(r->op + r->n, ops, count * sizeof *ops);
    r->n += count;
    return 0;
}

static uint64_t lf_text_hash(const char *s, size_t n) {
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return h ^ h >> 29;
}

int64_t lf_history_reader_text(struct lf_history_reader *r, const char *bytes, size_t count) {
    if (2 * (r->texts + 1) > r->text_slots) {
        size_t slots = r->text_slots ? 2 * r->text_slots : 64;
        uint32_t *slot = malloc(slots * sizeof *slot);
        if (!slot)
            return lf_fail(r, "out of memory", "", 0);
        memset(slot, 0xff, slots * sizeof *slot);
        for (size_t i = 0; i < r->texts; i++) {
            size_t h = lf_text_hash(r->text + r->text_start[i], r->text_start[i + 1] - r->text_start[i]) & (slots - 1);
            while (slot[h] != UINT32_MAX)
                h = (h + 1) & (slots - 1);
            slot[h] = (uint32_t)i;
        }
        free(r->text_slot);
        r->text_slot = slot;
        r->text_slots = slots;
    }
    size_t h = lf_text_hash(bytes, count) & (r->text_slots - 1);
    for (; r->text_slot[h] != UINT32_MAX; h = (h + 1) & (r->text_slots - 1)) {
        size_t i = r->text_slot[h];
        if (r->text_start[i + 1] - r->text_start[i] == count && !memcmp(r->text + r->text_start[i], bytes, count))
            return (int64_t)i;
    }
    if (lf_room(r, &r->text_start, &r->text_room, r->texts + 2, sizeof *r->text_start))
        return -1;
    if (!r->texts)
        r->text_start[0] = 0;
    size_t at = r->text_start[r->texts];
    if (lf_room(r, &r->text, &r->text_bytes_room, at + count + 1, 1))
        return -1;
    memcpy(r->text + at, bytes, count);
    r->text_start[r->texts + 1] = at + count;
    r->text_slot[h] = (uint32_t)r->texts;
    return (int64_t)r->texts++;
}

const char *lf_history_reader_name(const struct lf_history_reader *r, int op) {
    for (size_t i = 0; i < sizeof lf_names / sizeof *lf_names; i++)
        if (lf_names[i].code == op)
            return lf_names[i].name;
    return op >= 0 && op < LF_NAMES ? r->name[op] : NULL;
}

int lf_history_reader_code(struct lf_history_reader *r, const char *name, size_t count) {
    for (size_t i = 0; i < sizeof lf_names / sizeof *lf_names; i++)
        if (strlen(lf_names[i].name) == count && !memcmp(lf_names[i].name, name, count))
            return lf_names[i].code;
    if (!r->any_operation)
        return -1;
    for (int c = LF_OP_CUSTOM; c < LF_NAMES; c++) {
        if (!r->name[c]) {
            if (!(r->name[c] = malloc(count + 1)))
                return -1;
            memcpy(r->name[c], name, count);
            r->name[c][count] = 0;
            return c;
        }
        if (strlen(r->name[c]) == count && !memcmp(r->name[c], name, count))
            return c;
    }
    return -1;
}
