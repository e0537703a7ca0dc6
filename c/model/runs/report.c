/* report.c: an execution as the driver reads it: base/say.c. */
#include "runs.h"

enum { MAX_LABELS = 256 };

MODEL_STATE static struct {
    uintptr_t address;
    size_t bytes;
    const char *name;
} labels[MAX_LABELS];
MODEL_STATE static int label_count;

void lf_model_label(const void *address, size_t bytes, const char *name) {
    if (R.running || label_count == MAX_LABELS)
        return;
    labels[label_count].address = (uintptr_t)address;
    labels[label_count].bytes = bytes;
    labels[label_count++].name = name;
}

static const char *kind_name(const struct event *e) {
    if (e->doing != NULL)
        return e->doing;
    switch (e->kind) {
    case EV_LOAD:
        return e->rewrites ? "rmw" : e->cas ? "cas-failed" : "load";
    case EV_STORE:
        return "store";
    case EV_RMW_READ:
        return e->as_store ? "store" : e->cas ? "cas" : "rmw";
    case EV_FENCE:
        return e->light ? "light fence" : e->heavy == HEAVY_SETTLED ? "settle" : e->heavy ? "membarrier" : "fence";
    default:
        return e->of_loop ? "turn" : "choice";
    }
}

static void print_value(u128 value) {
    if (value >> 64 != 0)
        say("\t%lx%016lx", (unsigned long)(value >> 64), (unsigned long)value);
    else
        say("\t%lx", (unsigned long)value);
}

static u128 part(const struct event *e, const struct event *like) {
    u128 value = e->value >> (8 * like->offset);
    return like->size >= 16 ? value : value & (((u128)1 << (8 * like->size)) - 1);
}

/* event  tid  idx  kind  order  size  address  label  read  written  from-tid  from-idx  stale  place  hidden  op  pc  near */
static void print_event(int id) {
    static const char *const orders[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
    const struct event *e = &R.event[id];
    const struct event *write = e->kind == EV_RMW_READ && id + 1 < R.events ? &R.event[id + 1] : NULL;
    if (write != NULL && write->kind != EV_RMW_WRITE)
        write = NULL;
    uintptr_t address = e->loc != NULL ? e->loc->address + e->offset : 0;
    int order = e->kind == EV_RMW_READ && write != NULL ? write->order : e->order;
    say("event\t%d\t%d\t%s\t%s\t%d\t%lx\t", e->tid, e->idx, kind_name(e), orders[order], e->size,
        (unsigned long)address);
    for (int i = 0; i < label_count; i++)
        if (address - labels[i].address < labels[i].bytes) {
            say("%s", labels[i].name);
            if (address != labels[i].address)
                say("+%lu", (unsigned long)(address - labels[i].address));
            break;
        }
    bool reads = e->kind == EV_LOAD || e->kind == EV_RMW_READ;
    if (reads)
        print_value(part(e, e));
    else if (e->kind == EV_CHOICE)
        print_value(e->value);
    else
        say("\t");
    if (write != NULL)
        print_value(part(write, e));
    else if (e->kind == EV_STORE || e->rewrites)
        print_value(part(e, e));
    else
        say("\t");
    if (reads) {
        const struct event *from = &R.event[e->rf];
        say("\t%d\t%d", from->kind == EV_INIT && !from->plain ? 0 : from->tid, from->kind == EV_INIT ? -1 : from->idx);
    } else {
        say("\t\t");
    }
    say("\t%d\t%d\t%d\t%d\t%lx\t%lx\n", reads ? e->picked : 0, e->kind == EV_STORE ? e->picked : 0, e->hidden, e->op,
        (unsigned long)e->pc, (unsigned long)e->near);
}

/* placed  tid  idx  address  mo: where a store, or the step of a read-modify-write, stands in modification order */
static void print_place(const struct event *e) {
    if (e->kind == EV_STORE || e->kind == EV_RMW_WRITE)
        say("placed\t%d\t%d\t%lx\t%d\n", e->tid, e->kind == EV_STORE ? e->idx : e->idx - 1,
            (unsigned long)e->loc->address, e->mo);
}

/* call  number  thread  what  argument  result  pending  first-event  last-event */
static void print_calls(void) {
    for (int i = 0; i < R.op_count; i++) {
        const struct op_record *r = &R.ops[i];
        say("call\t%d\t%u\t%u\t%lx\t%lx\t%d\n", i, r->op.thread, r->op.what, (unsigned long)r->op.argument,
            (unsigned long)r->op.result, r->op.pending);
    }
}

static const char *state_of(const struct thread *t) {
    if (t->tid == R.failing_thread)
        return "failed";
    if (t->finished)
        return "finished";
    if (t->stopped)
        return R.client->stop_is_death ? "dead" : "stopped for ever";
    if (t->asleep)
        return "asleep";
    return t->blocked || t->parked ? "waiting" : "in the middle";
}

static void print_threads(void) {
    for (int i = 1; i <= R.threads; i++)
        if (!R.thread[i].absent)
            say("thread\t%d\t%s\n", i, state_of(&R.thread[i]));
}

void report_execution(const char *kind) {
    tls_print();
    heap_print();
    say("failure\t%s\t%s\n", kind, R.failure);
    for (int id = 0; id < R.events; id++)
        if (R.event[id].kind != EV_INIT && R.event[id].kind != EV_RMW_WRITE)
            print_event(id);
    for (int id = 0; id < R.events; id++)
        print_place(&R.event[id]);
    print_calls();
    print_threads();
}
