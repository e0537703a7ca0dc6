"""The standard litmus tests with each order, and what RC11 says about the outcome each asks for.

Sources: `paper` is Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017; `armpower` is Maranget, Sarkar, Sewell, "A
tutorial introduction to the ARM and POWER relaxed memory models", 2012, which names the shapes; `batty` is
Batty, Owens, Sarkar, Sewell, Weber, "Mathematizing C++ concurrency", POPL 2011; `membarrier` is the example of
membarrier(2) and what it says of the barriers of pairs (Linux man-pages 6.9); `p1202` is Goldblatt, "Asymmetric
fences", WG21 P1202R5. Every line is also
worked out from RC11's axioms by rc11.py.
"""

from dataclasses import dataclass

from rc11 import Op


def r(loc, order="rlx"):
    return Op("r", loc, order)


def w(loc, value, order="rlx"):
    return Op("w", loc, order, value)


def f(order="sc"):
    return Op("f", "", order)


def add(loc, value, order="rlx"):
    return Op("add", loc, order, value)


def cas(loc, expected, value, order="rlx"):
    return Op("cas", loc, order, value, expected)


@dataclass(frozen=True)
class Litmus:
    name: str
    threads: list[list[Op]]
    asked: str  # parts of an outcome, all of which must hold
    allowed: bool
    source: str
    c20: bool = False  # under C++20's release sequences instead


def sb(store, load, *between):
    return [[w("x", 1, store), *between, r("y", load)], [w("y", 1, store), *between, r("x", load)]]


def mp(store, load, before=(), after=()):
    return [[w("x", 1), *before, w("y", 1, store)], [r("y", load), *after, r("x")]]


def iriw(store, first, second, between=()):
    reader = lambda a, b: [r(a, first), *between, r(b, second)]  # noqa: E731
    return [[w("x", 1, store)], [w("y", 1, store)], reader("x", "y"), reader("y", "x")]


def two_plus_two_w(store, *between):
    return [[w("x", 1, store), *between, w("y", 2, store)], [w("y", 1, store), *between, w("x", 2, store)]]


SB = "T1.0=0 T2.0=0"
MP = "T2.0=1 T2.1=0"
IRIW = "T3.0=1 T3.1=0 T4.0=1 T4.1=0"

TABLE = [
    Litmus("sb_rlx", sb("rlx", "rlx"), SB, True, "batty 3.3: relaxed"),
    Litmus("sb_ra", sb("rel", "acq"), SB, True, "batty 3.3: release-acquire"),
    Litmus("sb_sc", sb("sc", "sc"), SB, False, "batty 3.3: seq_cst"),
    Litmus("sb_sc_store_acq_load", sb("sc", "acq"), SB, True, "paper 2: only SC accesses are ordered"),
    Litmus("sb_fences", sb("rlx", "rlx", f()), SB, False, "paper 3: psc_F"),
    Litmus("sb_ar_fences", sb("rlx", "rlx", f("ar")), SB, True, "paper 3: only SC fences"),
    Litmus(
        "sb_one_fence", [[w("x", 1), f(), r("y")], [w("y", 1), r("x")]], SB, True, "armpower 4: both sides need one"
    ),
    Litmus("sb_rmw_sc", [[add("x", 1, "sc"), r("y", "sc")], [add("y", 1, "sc"), r("x", "sc")]], "T1.1=0 T2.1=0", False,
           "batty 3.3: seq_cst"),
    Litmus("mp_rlx", mp("rlx", "rlx"), MP, True, "batty 3.1: relaxed"),
    Litmus("mp_ra", mp("rel", "acq"), MP, False, "batty 3.1: release-acquire"),
    Litmus("mp_rel_rlx", mp("rel", "rlx"), MP, True, "paper 3: sw needs both"),
    Litmus("mp_rlx_acq", mp("rlx", "acq"), MP, True, "paper 3: sw needs both"),
    Litmus("mp_sc", mp("sc", "sc"), MP, False, "SC includes release and acquire"),
    Litmus("mp_fences", mp("rlx", "rlx", [f("rel")], [f("acq")]), MP, False, "paper 3: sw through fences"),
    Litmus("mp_rel_fence_only", mp("rlx", "rlx", [f("rel")]), MP, True, "paper 3: sw needs both"),
    Litmus("mp_acq_fence_only", mp("rlx", "rlx", [], [f("acq")]), MP, True, "paper 3: sw needs both"),
    Litmus("mp_wrong_fences", mp("rlx", "rlx", [f("acq")], [f("rel")]), MP, True, "paper 3: the order of the fence"),
    Litmus("lb_rlx", [[r("x"), w("y", 1)], [r("y"), w("x", 1)]], "T1.0=1 T2.0=1", False,
           "paper 4: RC11 forbids cycles of po and rf; C11 itself allows this"),
    Litmus("lb_ra", [[r("x", "acq"), w("y", 1, "rel")], [r("y", "acq"), w("x", 1, "rel")]], "T1.0=1 T2.0=1", False,
           "batty 3.2: release-acquire"),
    Litmus("iriw_rlx", iriw("rlx", "rlx", "rlx"), IRIW, True, "batty 3.4: relaxed"),
    Litmus("iriw_ra", iriw("rel", "acq", "acq"), IRIW, True, "batty 3.4: release-acquire"),
    Litmus("iriw_sc", iriw("sc", "sc", "sc"), IRIW, False, "batty 3.4: seq_cst"),
    Litmus("iriw_acq_sc", iriw("sc", "acq", "sc"), IRIW, True, "paper 2: IRIW-acq-sc"),
    Litmus("iriw_fences", iriw("rlx", "rlx", "rlx", [f()]), IRIW, False, "paper 3: psc_F"),
    Litmus("two_w_rlx", two_plus_two_w("rlx"), "x=1 y=1", True, "armpower 7: 2+2W"),
    Litmus("two_w_rel", two_plus_two_w("rel"), "x=1 y=1", True, "armpower 7: 2+2W"),
    Litmus("two_w_sc", two_plus_two_w("sc"), "x=1 y=1", False, "paper 3: mo is in scb"),
    Litmus("two_w_fences", two_plus_two_w("rlx", f()), "x=1 y=1", False, "paper 3: psc_F"),
    Litmus("co_rr", [[w("x", 1)], [r("x"), r("x")]], "T2.0=1 T2.1=0", False, "paper 3: coherence"),
    Litmus("co_ww", [[w("x", 1), w("x", 2)]], "x=1", False, "paper 3: coherence"),
    Litmus("co_wr", [[w("x", 1), r("x")], [w("x", 2)]], "T1.0=2 x=1", False, "paper 3: coherence"),
    Litmus("co_wr_own", [[w("x", 1), r("x")]], "T1.0=0", False, "paper 3: coherence"),
    Litmus("co_rw", [[r("x"), w("x", 1)]], "T1.0=1", False, "paper 3: coherence"),
    Litmus("co_rw_other", [[r("x"), w("x", 1)], [w("x", 2)]], "T1.0=2 x=2", False, "paper 3: coherence"),
    Litmus("co_rr_two_writers", [[w("x", 1)], [w("x", 2)], [r("x"), r("x")], [r("x"), r("x")]],
           "T3.0=1 T3.1=2 T4.0=2 T4.1=1", False, "paper 3: one modification order"),
    Litmus("wrc_rlx", [[w("x", 1)], [r("x"), w("y", 1)], [r("y"), r("x")]], "T2.0=1 T3.0=1 T3.1=0", True,
           "armpower 5: WRC"),
    Litmus("wrc_ra", [[w("x", 1, "rel")], [r("x", "acq"), w("y", 1, "rel")], [r("y", "acq"), r("x")]],
           "T2.0=1 T3.0=1 T3.1=0", False, "batty 3.1: happens-before is transitive"),
    Litmus("isa2_ra", [[w("x", 1), w("y", 1, "rel")], [r("y", "acq"), w("z", 1, "rel")], [r("z", "acq"), r("x")]],
           "T2.0=1 T3.0=1 T3.1=0", False, "armpower 5: ISA2"),
    Litmus("s_rlx", [[w("x", 2), w("y", 1)], [r("y"), w("x", 1)]], "T2.0=1 x=2", True, "armpower 7: S"),
    Litmus("s_ra", [[w("x", 2), w("y", 1, "rel")], [r("y", "acq"), w("x", 1)]], "T2.0=1 x=2", False, "armpower 7: S"),
    Litmus("r_ra", [[w("x", 1), w("y", 1, "rel")], [w("y", 2, "rel"), r("x", "acq")]], "y=2 T2.0=0", True,
           "armpower 7: R"),
    Litmus("r_sc", [[w("x", 1, "sc"), w("y", 1, "sc")], [w("y", 2, "sc"), r("x", "sc")]], "y=2 T2.0=0", False,
           "armpower 7: R"),
    Litmus("rwc_ra", [[w("x", 1, "rel")], [r("x", "acq"), r("y", "acq")], [w("y", 1, "rel"), r("x", "acq")]],
           "T2.0=1 T2.1=0 T3.0=0", True, "armpower 6: RWC"),
    Litmus("rwc_sc", [[w("x", 1, "sc")], [r("x", "sc"), r("y", "sc")], [w("y", 1, "sc"), r("x", "sc")]],
           "T2.0=1 T2.1=0 T3.0=0", False, "armpower 6: RWC"),
    Litmus("rwc_fences", [[w("x", 1)], [r("x", "acq"), f(), r("y")], [w("y", 1), f(), r("x")]],
           "T2.0=1 T2.1=0 T3.0=0", False, "paper 2: RWC+syncs, psc_F with hb;eco;hb"),
    Litmus("z6_u", [[w("x", 1, "sc"), w("y", 1, "rel")], [add("y", 1, "sc"), r("y")], [w("y", 3, "sc"), r("x", "sc")]],
           "T2.0=1 T2.1=3 T3.0=0", True, "paper 2: Z6.U, which C11 of 2011 forbids"),
    Litmus("release_sequence_rmw", [[w("x", 1), w("y", 1, "rel")], [add("y", 1)], [r("y", "acq"), r("x")]],
           "T2.0=1 T3.0=2 T3.1=0", False, "paper 3: (rf;rmw)* in rs"),
    Litmus("release_sequence_broken", [[w("x", 1), w("y", 1, "rel")], [w("y", 2)], [r("y", "acq"), r("x")]],
           "T3.0=2 T3.1=0 y=2", True, "paper 3: another thread's store is not in rs"),
    Litmus("release_sequence_own", [[w("x", 1), w("y", 1, "rel"), w("y", 2)], [r("y", "acq"), r("x")]],
           "T2.0=2 T2.1=0", False, "paper 3: po|loc in rs"),
    Litmus("release_sequence_own_c20", [[w("x", 1), w("y", 1, "rel"), w("y", 2)], [r("y", "acq"), r("x")]],
           "T2.0=2 T2.1=0", True, "WG21 P0982R1: taken out of rs in C++20", c20=True),
    Litmus("rmw_atomic", [[add("x", 1)], [add("x", 1)]], "T1.0=0 T2.0=0", False, "paper 3: atomicity"),
    Litmus("cas_one_wins", [[cas("x", 0, 1)], [cas("x", 0, 2)]], "T1.0=0 T2.0=0", False, "paper 3: atomicity"),
    Litmus("cas_failed_is_a_load", [[w("x", 1), w("y", 1, "rel")], [cas("y", 7, 8, "ar"), r("x")]], MP, False,
           "C11 7.17.7.4: failure order acquire"),
    Litmus("sb_membarrier", [[w("x", 1), f("light"), r("y")], [w("y", 1), f("heavy"), r("x")]], SB, False,
           "membarrier: barrier() with sys_membarrier() is ordered"),
    Litmus("sb_no_membarrier", [[w("x", 1), f("light"), r("y")], [w("y", 1), f(), r("x")]], SB, True,
           "membarrier: barrier() with smp_mb() is not ordered"),
    Litmus("sb_two_light", sb("rlx", "rlx", f("light")), SB, True, "membarrier: barrier() with barrier() is not"),
    Litmus("sb_two_heavy", sb("rlx", "rlx", f("heavy")), SB, False, "membarrier: sys_membarrier() with itself is"),
    Litmus("sb_heavy_and_fence", [[w("x", 1), f("heavy"), r("y")], [w("y", 1), f(), r("x")]], SB, False,
           "membarrier: sys_membarrier() with smp_mb() is ordered"),
    Litmus("sb_light_elsewhere", [[f("light"), w("x", 1), r("y")], [w("y", 1), f("heavy"), r("x")]], SB, True,
           "p1202: the light fence stands between the two accesses"),
    Litmus("sb_heavy_too_late", [[w("x", 1), f("light"), r("y")], [w("y", 1), r("x"), f("heavy")]], SB, True,
           "p1202: so does the heavy one"),
    Litmus("mp_membarrier", [[w("x", 1), f("light"), w("y", 1)], [r("y"), f("heavy"), r("x")]], MP, False,
           "p1202: with the heavy fence at the reader"),
    Litmus("mp_membarrier_at_writer", [[w("x", 1), f("heavy"), w("y", 1)], [r("y"), f("light"), r("x")]], MP, False,
           "p1202: with the heavy fence at the writer"),
    Litmus("rwc_membarrier", [[w("x", 1)], [r("x"), f("heavy"), r("y")], [w("y", 1), f("light"), r("x")]],
           "T2.0=1 T2.1=0 T3.0=0", False, "p1202: through the store that the heavy side has read"),
    Litmus("rwc_membarrier_light", [[w("x", 1)], [r("x"), f("light"), r("y")], [w("y", 1), f("heavy"), r("x")]],
           "T2.0=1 T2.1=0 T3.0=0", False, "p1202: and the light side"),
    Litmus("rwc_two_light", [[w("x", 1)], [r("x"), f("light"), r("y")], [w("y", 1), f("light"), r("x")]],
           "T2.0=1 T2.1=0 T3.0=0", True, "p1202: two light fences promise nothing"),
    Litmus("cas_failed_relaxed", [[w("x", 1), w("y", 1, "rel")], [cas("y", 7, 8, "rel"), r("x")]], MP, True,
           "C11 7.17.7.4: failure order relaxed"),
]  # fmt: skip
