"""One point for each primitive and number of processes, and a round trip for the rings of records."""

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lockfree.bench import engine, loads
from lockfree.machine.figures import percentiles, spread


@dataclass(frozen=True)
class Plan:
    """What is measured: primitives, numbers of processes, settings; `seats`: the processor of each worker in turn."""

    names: Sequence[str]
    counts: Sequence[int]
    chosen: Mapping[str, Any]
    seats: Sequence[int | None]


def measure(plan: Plan, found: dict[str, Any]) -> Iterator[tuple[float, str]]:
    """Fills `found` by primitive. Yields (how much is done, what is next) before each point, and at the end."""
    chosen = plan.chosen
    settings = loads.Settings(chosen["capacity"], chosen["record"], chosen["batch"])
    span = engine.Span(chosen["samples"], chosen["seconds"] / chosen["samples"])
    jobs = []
    for name in plan.names:
        kind = loads.PRIMITIVES[name]
        found[name] = {"what": kind.what, "points": [], "round_trip": None, "problem": None}
        if kind.needs and importlib.util.find_spec(kind.needs) is None:
            found[name]["problem"] = f"it needs {kind.needs}, which is not installed"
            continue
        fit = [count for count in plan.counts if kind.least <= count <= kind.most]
        if not fit:
            found[name]["problem"] = f"it needs {kind.least} to {kind.most} processes"
        jobs += [(name, count, partial(kind.make, count, settings)) for count in fit]
        if fit and name in loads.ROUND_TRIPS:
            jobs.append((name, 0, partial(loads.round_trip, loads.ROUND_TRIPS[name], settings)))
    for number, (name, count, make) in enumerate(jobs):
        yield number / len(jobs), f"{name}: {f'{count} processes' if count else 'round trip'}"
        try:
            load = make()
            done = engine.run(load, plan.seats, span)
        except (engine.LoadError, OSError, ValueError, MemoryError) as error:
            found[name]["problem"] = f"{count} processes: {error}" if count else f"round trip: {error}"
            continue
        latency = {role: percentiles(times) for role, times in done.times.items() if times}
        if count == 0:
            found[name]["round_trip"] = latency.get("round trip")
            continue
        found[name]["points"].append(
            {
                "processes": count,
                "oversubscribed": count > chosen["processors"],
                "per_second": spread(done.rates),
                "least_to_most": min(done.done) / max(1, *done.done),
                "ns": latency,
            }
        )
    yield 1.0, ""
