"""Small random programs for the comparison of the checker with RC11's axioms."""

import itertools

from rc11 import Op

READ = ["rlx", "acq", "sc"]
WRITE = ["rlx", "rel", "sc"]
BOTH = ["rlx", "acq", "rel", "ar", "sc"]


def _operation(rng, values, mostly_sc, asymmetric):
    def order(choices):
        return "sc" if mostly_sc and rng.random() < 0.7 else rng.choice(choices)

    loc = rng.choice("xy")
    kind = rng.choices(["r", "w", "add", "xchg", "cas", "f"], [5, 5, 1, 1, 1, 6 if asymmetric else 1.5])[0]
    if kind == "r":
        return Op("r", loc, order(READ))
    if kind == "w":
        return Op("w", loc, order(WRITE), next(values))
    if kind == "f":
        return Op("f", "", order(["acq", "rel", "ar", "sc", "sc", *asymmetric]))
    value = 100 if kind == "add" else 10 * next(values)
    return Op(kind, loc, order(BOTH), value, rng.choice([0, 1, 2]))


def random_program(rng, longest=4, asymmetric=()):
    """Two to four threads, at most eight operations, six of them stores. asymmetric: fences to put in as well."""
    while True:
        values = itertools.count(1)
        mostly_sc = rng.random() < 0.3
        threads = [
            [_operation(rng, values, mostly_sc, asymmetric) for _ in range(rng.randint(1, longest))]
            for _ in range(rng.choice([2, 2, 3, 3, 4]))
        ]
        operations = [op for thread in threads for op in thread]
        if len(operations) <= 8 and sum(op.kind not in "rf" for op in operations) <= 6:
            return threads
