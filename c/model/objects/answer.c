/* answer.c: does a caller look at what a call returns? */
#include "objects.h"

#include <string.h>

#if defined(__x86_64__)
enum answer { USED, UNUSED, NOT_YET };

/* One instruction that may be all registers and memory: does it read rax, write it, or neither? *at moves behind it. */
static enum answer look_at(const uint8_t **at) {
    const uint8_t *p = *at;
    bool half = *p == 0x66; /* operands of 2 bytes */
    p += half;
    unsigned rex = (*p & 0xF0) == 0x40 ? *p++ : 0, opcode = *p++, modrm = *p++, mod = modrm >> 6;
    bool number_to_memory = (opcode == 0xC6 || opcode == 0xC7) && mod != 3;
    bool group = opcode == 0x83 || opcode == 0x81 || opcode == 0xC7 || number_to_memory;
    bool loads = opcode == 0x8B || opcode == 0x8D || opcode == 0x63;
    bool known = group || loads || opcode == 0x89 || opcode == 0x39 || opcode == 0x3B || opcode == 0x01 ||
                 opcode == 0x03 || opcode == 0x29 || opcode == 0x2B || opcode == 0x31 || opcode == 0x33 ||
                 opcode == 0x85;
    if (!known || (half && !number_to_memory))
        return USED;
    bool rm_is_rax = (modrm & 7) == 0 && (rex & 1) == 0, reg_is_rax = (modrm >> 3 & 7) == 0 && (rex & 4) == 0;
    if (mod != 3 && (modrm & 7) == 4) {
        unsigned sib = *p++;
        rm_is_rax = ((sib & 7) == 0 && (rex & 1) == 0) || ((sib >> 3 & 7) == 0 && (rex & 2) == 0);
        p += mod == 0 && (sib & 7) == 5 ? 4 : 0;
    }
    p += mod == 1 ? 1 : mod == 2 || (mod == 0 && (modrm & 7) == 5) ? 4 : 0;
    p += opcode == 0x83 || opcode == 0xC6 ? 1 : opcode == 0x81 || opcode == 0xC7 ? (half ? 2 : 4) : 0;
    *at = p;
    if ((opcode == 0x31 || opcode == 0x33) && modrm == 0xC0 && (rex & 5) == 0) /* xor eax, eax */
        return UNUSED;
    if (rm_is_rax)
        return opcode == 0xC7 && mod == 3 ? UNUSED : USED;
    if (reg_is_rax && !group)
        return loads ? UNUSED : USED;
    return NOT_YET;
}

static bool is_used(const uint8_t *at, int jumps) {
    for (int i = 0; i < 16; i++) {
        if (at[0] == 0xE8 || at[0] == 0xB8 || (at[0] == 0x48 && at[1] == 0xB8)) /* call; eax or rax = a number */
            return false;
        int32_t far;
        memcpy(&far, at + (at[0] == 0x0F ? 2 : 1), sizeof far);
        if (at[0] > 0xB8 && at[0] <= 0xBF) { /* another register = a number */
            at += 5;
        } else if (at[0] == 0x41 && at[1] >= 0xB8 && at[1] <= 0xBF) {
            at += 6;
        } else if ((at[0] == 0x48 || at[0] == 0x49) && at[1] >= 0xB8 && at[1] <= 0xBF) { /* of 8 bytes */
            at += 10;
        } else if (at[0] == 0xEB) {
            at += 2 + (int8_t)at[1];
        } else if (at[0] == 0xE9) {
            at += 5 + far;
        } else if (at[0] >= 0x70 && at[0] <= 0x7F) {
            if (jumps == 0 || is_used(at + 2 + (int8_t)at[1], jumps - 1))
                return true;
            at += 2;
        } else if (at[0] == 0x0F && at[1] >= 0x80 && at[1] <= 0x8F) {
            if (jumps == 0 || is_used(at + 6 + far, jumps - 1))
                return true;
            at += 6;
        } else {
            enum answer answer = look_at(&at);
            if (answer != NOT_YET)
                return answer == USED;
        }
    }
    return true;
}
#endif

/* pc: where the call returns to. False only if the next instructions make that certain. */
bool answer_is_used(uint64_t pc) {
#if defined(__x86_64__)
    return is_used((const uint8_t *)(uintptr_t)pc, 3);
#else
    (void)pc;
    return true;
#endif
}
