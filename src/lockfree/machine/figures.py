"""What many samples are told as."""

import statistics
from collections.abc import Sequence

DIGITS = 4
"""More of them would be noise."""


def short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def spread(samples: Sequence[float]) -> dict[str, float] | None:
    """Median, lowest, highest; None if there is no sample."""
    if not samples:
        return None
    return {"median": short(statistics.median(samples)), "low": short(min(samples)), "high": short(max(samples))}


def percentiles(samples: Sequence[float]) -> dict[str, float] | None:
    """p10, p50, p90, p99, p99.9, and `count`, how many samples there are; None if there is none."""
    if not samples:
        return None
    ordered = sorted(samples)
    last = len(ordered) - 1
    picked = {f"p{p:g}": ordered[min(last, int(len(ordered) * p / 100))] for p in (10, 50, 90, 99, 99.9)}
    return {key: short(value) for key, value in picked.items()} | {"count": len(ordered)}
