"""What a history says about speed: latencies in the manner of HdrHistogram, refusals, returns over time."""

from dataclasses import dataclass, field
from typing import Any

from lockfree._native.stress import ffi, lib
from lockfree.stress.arena import Arena

BUCKETS = 16 * 40
BIN_NS = 250_000_000
NAMES = {
    1: "put", 2: "get", 5: "write", 6: "read", 7: "cas", 8: "fetch_add", 9: "load", 10: "acquire", 11: "release",
    19: "alloc", 20: "free",
}  # fmt: skip


@dataclass
class OperationFigures:
    """One kind of call. `latencies` counts the calls in each bucket; a bucket is 1/16 of its value wide."""

    count: int = 0
    refused: int = 0
    pending: int = 0
    longest_ns: int = 0
    latencies: dict[int, int] = field(default_factory=dict)

    def add(self, other: "OperationFigures") -> None:
        self.count += other.count
        self.refused += other.refused
        self.pending += other.pending
        self.longest_ns = max(self.longest_ns, other.longest_ns)
        for bucket, count in other.latencies.items():
            self.latencies[bucket] = self.latencies.get(bucket, 0) + count

    def percentile(self, fraction: float) -> int:
        """Nanoseconds within which that fraction of the calls returned."""
        left = fraction * (self.count - self.pending)
        for bucket in sorted(self.latencies):
            left -= self.latencies[bucket]
            if left <= 0:
                return min(int(lib.lf_stress_bucket_top(bucket)), self.longest_ns)
        return self.longest_ns

    def curve(self) -> list[tuple[float, int]]:
        """(fraction of the calls, nanoseconds within which they returned), for each bucket in use."""
        total, so_far, points = max(1, self.count - self.pending), 0, []
        for bucket in sorted(self.latencies):
            so_far += self.latencies[bucket]
            points.append((so_far / total, min(int(lib.lf_stress_bucket_top(bucket)), self.longest_ns)))
        return points


@dataclass
class Figures:
    """All kinds of call of one object. `bins` counts the returns in each 0.25 s since the run began."""

    operations: dict[str, OperationFigures] = field(default_factory=dict)
    bins: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Figures") -> None:
        for name, figures in other.operations.items():
            self.operations.setdefault(name, OperationFigures()).add(figures)
        for at, count in other.bins.items():
            self.bins[at] = self.bins.get(at, 0) + count

    def as_dict(self) -> dict[str, Any]:
        return {
            name: {
                "count": f.count,
                "refused": f.refused,
                "pending": f.pending,
                "ns": {p: f.percentile(float(p) / 100) for p in ("50", "90", "99", "99.9", "99.99")},
                "longest_ns": f.longest_ns,
            }
            for name, f in self.operations.items()
        }


def summarise(arena: Arena, began: int, total_seconds: float) -> Figures:
    """Figures of everything in the arena. `began` is the beginning of the run, in ns of the monotonic clock."""
    raw = ffi.new("struct lf_stress_figures *")
    n_bins = int(total_seconds * 1e9 / BIN_NS) + 400
    latencies, bins = ffi.new("uint64_t[]", 64 * BUCKETS), ffi.new("uint64_t[]", n_bins)
    for records in arena.records():
        ops = ffi.cast("struct lf_history_op *", ffi.from_buffer(records))
        count = len(records) // ffi.sizeof("struct lf_history_op")
        lib.lf_stress_summarise(ops, count, raw, latencies, BUCKETS, began, BIN_NS, bins, n_bins)
    figures = Figures(bins={i: int(n) for i, n in enumerate(ffi.unpack(bins, n_bins)) if n})
    for code, name in NAMES.items():
        if raw.count[code]:
            buckets = ffi.unpack(latencies + code * BUCKETS, BUCKETS)
            figures.operations[name] = OperationFigures(
                int(raw.count[code]),
                int(raw.refused[code]),
                int(raw.pending[code]),
                int(raw.longest[code]),
                {i: int(n) for i, n in enumerate(buckets) if n},
            )
    return figures
