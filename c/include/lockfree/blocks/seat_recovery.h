/* seat_recovery.h: building block of the semaphore: what a participant that is gone held is counted and given back.
 *
 * Contract: lf__sem_give_back returns exactly what it still holds, less what it owes, also if others die.
 * Progress: bounded by the seats that have memory, and by changes of the value by others.
 * Death: if the recovering process dies, another one begins again and finds what is done already.
 * Layout and invariants: seats.h. */
#ifndef LOCKFREE_SEAT_RECOVERY_H
#define LOCKFREE_SEAT_RECOVERY_H

#include "seats.h"

/* What a seat's account says, and the owner of the seat. A dead participant may lose a seat but never gets one. So if
 * the claim names the dead one after the account was read, that account was the dead one's. */
LF_INLINE int64_t lf__sem_account_of(const struct lf_seat *seat, uint32_t *whose) {
    int64_t held = lf__sem_held(lf_load_acquire(&seat->account)); /* [S3] pairs with [S4]: the claim is not older */
    *whose = held != 0 ? (uint32_t)(lf_load_relaxed(&seat->claim) & LF__SEAT_PARTICIPANT) : 0;
    return held;
}

/* What a participant holds, or what every participant holds (read at different instants; cut to 32 bits). */
LF_INLINE int64_t lf__sem_held_by(const struct lf_semaphore *s, uint32_t participant) {
    int64_t sum = 0;
    for (uint32_t i = 0, room = lf__sem_room(s); i < room; i++) {
        uint32_t whose;
        int64_t held = lf__sem_account_of(lf__sem_seat_at(s, i), &whose);
        sum += held != 0 && whose == participant ? held : 0;
    }
    return sum;
}
LF_INLINE void lf__sem_balances(const struct lf_semaphore *s, int32_t balances[LF_PARTICIPANTS]) {
    memset(balances, 0, LF_PARTICIPANTS * sizeof balances[0]);
    lf__sem_help(s, lf__sem_now(s->body)); /* else an account of the living could be old for long */
    for (uint32_t i = 0, room = lf__sem_room(s); i < room; i++) {
        uint32_t whose;
        int64_t held = lf__sem_account_of(lf__sem_seat_at(s, i), &whose);
        if (whose < LF_PARTICIPANTS && held != 0) {
            held += balances[whose];
            balances[whose] = held > INT32_MAX ? INT32_MAX : held < -INT32_MAX ? -INT32_MAX : (int32_t)held;
        }
    }
}

/* What others gave back beyond what they took. A participant whose threads use several seats may seem to have a debt
 * for a moment. So only a debt that stays counts. */
LF_INLINE int64_t lf__sem_debts(const struct lf_semaphore *s, uint32_t gone) {
    int32_t best[LF_PARTICIPANTS], balances[LF_PARTICIPANTS];
    int64_t debts = 1;
    for (int look = 0; look < LF__LOOKS_AT_DEBTS && debts > 0; look++) {
        lf__sem_balances(s, balances);
        debts = 0;
        for (uint32_t i = 1; i < LF_PARTICIPANTS; i++) {
            if (look == 0 || balances[i] > best[i])
                best[i] = balances[i];
            if (i != gone && best[i] < 0)
                debts -= best[i];
        }
    }
    uint64_t left_behind = lf_load_relaxed(&s->body->debt);
    return debts + (int64_t)(left_behind < LF__DEBT_BOUND ? left_behind : LF__DEBT_BOUND);
}

/* Gives back what `gone` holds, as an operation in one of its own seats. If the recoverer dies, the next one finds the
 * operation booked, or named by the word, and gives back only what is still missing. */
LF_INLINE void lf__sem_give_back(struct lf_semaphore *s, uint32_t seat, uint32_t gone) {
    struct lf_semaphore_body *body = s->body;
    int64_t held, returned;
    for (;;) {
        uint64_t word = lf__sem_now(body);
        lf__sem_help(s, word);
        held = lf__sem_held_by(s, gone);
        int64_t room = (int64_t)s->initial - lf__sem_value(word);
        returned = held > 0 ? held - lf__sem_debts(s, gone) : 0;
        if (returned > room)
            returned = room;
        if (returned <= 0 || lf__sem_change(s, seat, returned, (int64_t)s->initial) == LF_OK)
            break;
    }
    lf__sem_help(s, lf__sem_now(body)); /* or its intent would come after the account was emptied */
    int64_t unpaid = held < 0 ? -held : 0;
    lf_fetch_add_relaxed(&body->debt, (uint64_t)unpaid); /* twice, if we die now: then less comes back, never more */
    lf_fetch_or_relaxed(&lf__sem_seat_at(s, seat)->claim, LF__SEAT_SETTLED);
    int64_t paid = held - (returned > 0 ? returned : 0);
    uint64_t debt = lf_load_relaxed(&body->debt);
    while (paid > 0 && debt > 0 &&
           !lf_cas_relaxed(&body->debt, &debt, debt > (uint64_t)paid ? debt - (uint64_t)paid : 0))
        ;
}

/* Makes the first seat of `gone` BUSY, so that nobody takes it over. Returns its number, LF_SEATS if there is none. */
LF_INLINE uint32_t lf__sem_head_of(struct lf_semaphore *s, uint32_t gone) {
    for (uint32_t i = 0, room = lf__sem_room(s); i < room; i++) {
        uint64_t *place = &lf__sem_seat_at(s, i)->claim, claim = lf_load_relaxed(place);
        while ((claim & LF__SEAT_PARTICIPANT) == gone)
            if (lf_cas_relaxed(place, &claim, (claim + LF__SEAT_VERSION) | LF__SEAT_BUSY))
                return i;
    }
    return LF_SEATS;
}

/* Empties a settled seat and frees it. With only_debts: empties it if its account is below 0. */
LF_INLINE void lf__sem_clear(struct lf_seat *seat, uint32_t gone, int only_debts) {
    uint64_t account = lf_load_acquire(&seat->account); /* [S3]: before the claim, as in lf__sem_balances */
    uint64_t claim = lf_load_relaxed(&seat->claim);
    if ((claim & LF__SEAT_PARTICIPANT) != gone)
        return;
    while ((only_debts ? lf__sem_held(account) < 0 : lf__sem_held(account) != 0) &&
           !lf_cas_relaxed(&seat->account, &account, (uint32_t)account))
        ;
    if (!only_debts && (claim & LF__SEAT_BUSY)) /* else it has no keeper, and somebody may take it over */
        lf_store_relaxed(&seat->keeper, (uint64_t)0);
    if (!only_debts) /* [S6]; it fails if the seat was empty and somebody took it over */
        lf_cas_release(&seat->claim, &claim, (claim & ~(LF__SEAT_VERSION - 1)) + LF__SEAT_VERSION);
}

#endif
