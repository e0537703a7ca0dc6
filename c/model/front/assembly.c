/* assembly.c: instructions of inline assembly that reach memory, as accesses of the model. src/.../assembly.py puts a
 * call of lf_model_asm in the place of each.
 *
 * x86 orders more than C11's names say. A locked instruction is a full barrier: a seq_cst read-modify-write between
 * two seq_cst fences. A move is taken as an acquire load or a release store, which is weaker than x86: whatever passes
 * is right there, too. */
#include "../objects/objects.h"
#include "../events/entry.h"

#if defined(__x86_64__)

enum operation {
    REFUSED,
    FENCE,
    LFENCE,
    SFENCE,
    PAUSE,
    LOAD,
    LOAD_SIGNED,
    STORE,
    XCHG,
    XADD,
    CMPXCHG,
    CMPXCHG16B,
    CMPXCHG8B,
    ADD,
    SUB,
    AND,
    OR,
    XOR,
    INC,
    DEC,
    NEG,
    NOT,
    BTS,
    BTR,
    BTC,
    CMP,
    TEST,
    BT,
    COMPARE,
    COPIED, /* plain accesses, `immediate` times `size`: by_value.py */
    WRITTEN,
};
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP };
enum { CARRY = 1 << 0, PARITY = 1 << 2, ZERO = 1 << 6, SIGN = 1 << 7, OVERFLOW = 1 << 11 };
enum { RESULTS = CARRY | PARITY | ZERO | SIGN | OVERFLOW };

struct saved { /* as the code below pushes them */
    uint64_t registers[16];
    uint64_t flags, pc;
};

MODEL_STATE uint64_t lf_model_asm_scratch, lf_model_asm_address, lf_model_asm_immediate, lf_model_asm_what;
void lf_model_asm_step(struct saved *saved);

/* Keeps every register: the compiler does not know that there is a call. */
__asm__(".text\n.globl lf_model_asm\n.type lf_model_asm,@function\nlf_model_asm:\n"
        "pushfq\n"
        "push %r15\npush %r14\npush %r13\npush %r12\npush %r11\npush %r10\npush %r9\npush %r8\n"
        "push %rsp\npush %rbp\npush %rdi\npush %rsi\npush %rdx\npush %rcx\npush %rbx\npush %rax\n"
        "mov %rsp,%rdi\nmov %rsp,%rbx\nand $-64,%rsp\nsub $512,%rsp\nfxsave64 (%rsp)\n"
        "cld\ncall lf_model_asm_step\n"
        "fxrstor64 (%rsp)\nmov %rbx,%rsp\n"
        "pop %rax\npop %rbx\npop %rcx\npop %rdx\npop %rsi\npop %rdi\npop %rbp\nadd $8,%rsp\n"
        "pop %r8\npop %r9\npop %r10\npop %r11\npop %r12\npop %r13\npop %r14\npop %r15\n"
        "popfq\nret\n.size lf_model_asm,.-lf_model_asm\n");

static uint64_t cut(uint64_t value, unsigned size) {
    return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static uint64_t widened(uint64_t value, unsigned size) {
    unsigned shift = 64 - 8 * size;
    return (uint64_t)((int64_t)(value << shift) >> shift);
}

static void set_register(struct saved *s, unsigned number, unsigned size, uint64_t value) {
    uint64_t *at = &s->registers[number];
    *at = size >= 4 ? cut(value, size) : (*at & ~cut(~UINT64_C(0), size)) | cut(value, size);
}

static uint64_t result_of(enum operation operation, uint64_t old, uint64_t operand, unsigned size) {
    uint64_t bit = UINT64_C(1) << (operand & (8 * size - 1));
    switch (operation) {
    case ADD:
    case XADD:
        return old + operand;
    case SUB:
        return old - operand;
    case AND:
    case TEST:
        return old & operand;
    case OR:
        return old | operand;
    case XOR:
        return old ^ operand;
    case INC:
        return old + 1;
    case DEC:
        return old - 1;
    case NEG:
        return 0 - old;
    case NOT:
        return ~old;
    case BTS:
        return old | bit;
    case BTR:
        return old & ~bit;
    case BTC:
        return old ^ bit;
    default: /* XCHG, STORE */
        return operand;
    }
}

static void set_flags(struct saved *s, enum operation operation, uint64_t old, uint64_t operand, unsigned size) {
    unsigned shift = 64 - 8 * size;
    uint64_t a = old << shift, b = operand << shift, r = result_of(operation, old, operand, size) << shift;
    uint64_t flags = 0, changed = RESULTS;
    switch (operation) {
    case NOT:
    case XCHG:
    case STORE:
        return;
    case BT:
    case BTS:
    case BTR:
    case BTC:
        changed = CARRY;
        flags = old >> (operand & (8 * size - 1)) & 1;
        s->flags = (s->flags & ~changed) | flags;
        return;
    case ADD:
    case XADD:
        flags = (r < a ? CARRY : 0) | (((a ^ r) & (b ^ r)) >> 63 ? OVERFLOW : 0);
        break;
    case SUB:
        flags = (a < b ? CARRY : 0) | (((a ^ b) & (a ^ r)) >> 63 ? OVERFLOW : 0);
        break;
    case NEG:
        flags = (a != 0 ? CARRY : 0) | ((a & r) >> 63 ? OVERFLOW : 0);
        break;
    case INC:
    case DEC:
        changed &= ~(uint64_t)CARRY;
        flags = ((operation == INC ? r & ~a : a & ~r) >> 63) ? OVERFLOW : 0;
        break;
    default:
        break;
    }
    flags |= (r == 0 ? ZERO : 0) | (r >> 63 ? SIGN : 0);
    flags |= (__builtin_popcountll(r >> shift & 0xFF) & 1) == 0 ? PARITY : 0;
    s->flags = (s->flags & ~changed) | flags;
}

/* For model_rmw. */
#define CHANGE(name, operation)                                                                                        \
    static u128 name##_it(u128 old, u128 operand) { return result_of(operation, (uint64_t)old, (uint64_t)operand, 8); }
CHANGE(add, ADD)
CHANGE(subtract, SUB)
CHANGE(and, AND)
CHANGE(or, OR)
CHANGE(xor, XOR)
CHANGE(negate, NEG)
CHANGE(exchange, XCHG)

static uint64_t change(uintptr_t address, unsigned size, enum operation operation, uint64_t operand, uint64_t pc) {
    uint64_t bit = UINT64_C(1) << (operand & (8 * size - 1));
    change_function function;
    switch (operation) {
    case ADD:
    case XADD:
        function = add_it;
        break;
    case INC:
        function = add_it, operand = 1;
        break;
    case SUB:
        function = subtract_it;
        break;
    case DEC:
        function = subtract_it, operand = 1;
        break;
    case AND:
        function = and_it;
        break;
    case OR:
        function = or_it;
        break;
    case XOR:
        function = xor_it;
        break;
    case NEG:
        function = negate_it;
        break;
    case NOT:
        function = xor_it, operand = ~UINT64_C(0);
        break;
    case BTS:
        function = or_it, operand = bit;
        break;
    case BTR:
        function = and_it, operand = ~bit;
        break;
    case BTC:
        function = xor_it, operand = bit;
        break;
    default:
        function = exchange_it;
    }
    return (uint64_t)model_rmw(address, size, function, operand, SEQ_CST, pc);
}

/* A loop that turns through assembly is known by all registers. */
static void arrive(const struct saved *s, uintptr_t address) {
    const uint64_t *r = s->registers;
    lf_model_entry.stack = (uintptr_t)(s + 1);
    const uint64_t kept[] = {r[RBX],          r[RBP],           r[12],  r[13],  r[14],
                             r[15],           r[RAX],           r[RCX], r[RDX], r[RSI] * 3 + r[RDI],
                             r[8] * 3 + r[9], r[10] * 3 + r[11]};
    for (int i = 0; i < KEPT_REGISTERS; i++)
        lf_model_entry.kept[i] = kept[i];
    spin_check(address, 0, s->pc);
    for (int i = 6; i < KEPT_REGISTERS; i++)
        lf_model_entry.kept[i] = 0;
}

/* Without `lock` others can store between the look and the store. */
static bool exchanged(uintptr_t address, unsigned size, u128 *expected, u128 desired, bool locked, uint64_t pc) {
    if (locked)
        return model_cas(address, size, expected, desired, SEQ_CST, SEQ_CST, pc);
    const u128 wanted = *expected;
    *expected = model_load(address, size, ACQUIRE, pc);
    if (*expected == wanted)
        model_store(address, size, desired, RELEASE, pc);
    return *expected == wanted;
}

static void compare_and_exchange(struct saved *s, uintptr_t address, unsigned size, bool locked, u128 desired) {
    u128 expected = cut(s->registers[RAX], size);
    u128 wanted = expected;
    bool same = exchanged(address, size, &expected, desired, locked, s->pc);
    set_flags(s, SUB, (uint64_t)wanted, (uint64_t)expected, size);
    if (!same)
        set_register(s, RAX, size, (uint64_t)expected);
}

static void compare_and_exchange_two(struct saved *s, uintptr_t address, unsigned half, bool locked) {
    unsigned bits = 8 * half;
    u128 expected = (u128)cut(s->registers[RDX], half) << bits | cut(s->registers[RAX], half);
    u128 desired = (u128)cut(s->registers[RCX], half) << bits | cut(s->registers[RBX], half);
    bool same = exchanged(address, 2 * half, &expected, desired, locked, s->pc);
    s->flags = (s->flags & ~(uint64_t)ZERO) | (same ? ZERO : 0);
    if (!same) {
        set_register(s, RAX, half, (uint64_t)expected);
        set_register(s, RDX, half, (uint64_t)(expected >> bits));
    }
}

/* Bits beyond the operand, in a register: of a bit string in memory. */
static uintptr_t place_of_bit(uintptr_t address, unsigned size, int64_t bit) {
    unsigned width = 8 * size;
    int64_t words = bit >= 0 ? bit / width : -((width - 1 - bit) / width);
    return address + (uintptr_t)(words * (int64_t)size);
}

void lf_model_asm_step(struct saved *s) {
    const uint64_t what = lf_model_asm_what;
    const uintptr_t address = lf_model_asm_address;
    const enum operation operation = what & 0xFF;
    const unsigned size = what >> 8 & 15, to = what >> 12 & 15, number = what >> 16 & 15;
    const bool immediate = (what >> 24 & 1) != 0, locked = (what >> 25 & 1) != 0;
    const uint64_t operand = cut(immediate ? lf_model_asm_immediate : s->registers[number], size != 0 ? size : 8);
    const bool relaxed = (what >> 26 & 1) != 0; /* a volatile object */
    const int reads = relaxed ? RELAXED : ACQUIRE, writes = relaxed ? RELAXED : RELEASE;
    switch (operation) {
    case REFUSED:
        if (R.running)
            fail("unusable client", "T%d runs inline assembly that the checker does not follow: %s @%lx@",
                 lf_model_thread(), (const char *)lf_model_asm_immediate, (unsigned long)s->pc);
        return;
    case FENCE:
        model_fence(SEQ_CST, s->pc);
        return;
    case LFENCE:
        model_fence(ACQUIRE, s->pc);
        return;
    case SFENCE:
        model_fence(RELEASE, s->pc);
        return;
    case PAUSE:
        pause_at(s->pc);
        return;
    case COPIED:
    case WRITTEN:
        R.copies = operation == COPIED;
        plain_access(address, size * lf_model_asm_immediate, operation == WRITTEN,
                     R.current != NULL ? outside_library(R.current, s->pc) : s->pc);
        R.copies = false;
        return;
    default:
        break;
    }
    if (locked)
        model_fence(SEQ_CST, s->pc);
    if (R.running && operation != STORE)
        arrive(s, address);
    const bool of_bits = operation == BT || operation == BTS || operation == BTR || operation == BTC;
    const uintptr_t at = of_bits && !immediate ? place_of_bit(address, size, (int64_t)widened(operand, size)) : address;
    uint64_t old = 0;
    switch (operation) {
    case LOAD:
    case LOAD_SIGNED:
        old = (uint64_t)model_load(address, size, reads, s->pc);
        set_register(s, number, to, operation == LOAD ? old : widened(old, size));
        break;
    case STORE:
        model_store(address, size, operand, writes, s->pc);
        break;
    case CMP:
    case TEST:
    case BT:
        old = (uint64_t)model_load(at, size, reads, s->pc);
        set_flags(s, operation == CMP ? SUB : operation, old, operand, size);
        break;
    case COMPARE:
        old = (uint64_t)model_load(address, size, reads, s->pc);
        set_flags(s, SUB, operand, old, size);
        break;
    case CMPXCHG:
        compare_and_exchange(s, address, size, locked, operand);
        break;
    case CMPXCHG8B:
    case CMPXCHG16B:
        compare_and_exchange_two(s, address, size, locked);
        break;
    default:
        if (locked) {
            old = change(at, size, operation, operand, s->pc);
        } else { /* two steps */
            old = (uint64_t)model_load(at, size, reads, s->pc);
            model_store(at, size, cut(result_of(operation, old, operand, size), size), writes, s->pc);
        }
        set_flags(s, operation, old, operand, size);
        if (operation == XCHG || operation == XADD)
            set_register(s, number, size, old);
    }
    if (locked)
        model_fence(SEQ_CST, s->pc);
}

#endif
