"""Records from one set of processes to another: how many per second."""

import multiprocessing
import os
import time


def _pin(position):
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[position % len(cpus)]})


def _run(role, position, pinned, body, args, barrier, times):
    if pinned:
        _pin(position)
    barrier.wait()
    began = time.monotonic_ns()
    body(*args)
    times.put((role, began, time.monotonic_ns()))


def per_second(records, producers, consumers, *, pinned=True):
    """`producers` and `consumers` are lists of (function, args), run one per process; records in all per second,
    from the moment all are there to the moment the last consumer has its share."""
    context = multiprocessing.get_context("fork")
    parties = [("producer", *p) for p in producers] + [("consumer", *c) for c in consumers]
    barrier, times = context.Barrier(len(parties)), context.SimpleQueue()
    processes = [
        context.Process(target=_run, args=(role, position, pinned, body, args, barrier, times))
        for position, (role, body, args) in enumerate(parties)
    ]
    for process in processes:
        process.start()
    stamps = [times.get() for _ in parties]
    for process in processes:
        process.join()
    return records / ((max(end for _, _, end in stamps) - min(begin for _, begin, _ in stamps)) / 1e9)


def measure(benchmark, records, make, rounds=7):
    """Times `rounds` transfers; `make()` gives (producers, consumers, cleanup) afresh for each."""
    figures = []

    def once():
        producers, consumers, cleanup = make()
        try:
            figures.append(per_second(records, producers, consumers))
        finally:
            cleanup()

    benchmark.pedantic(once, rounds=rounds, warmup_rounds=1)
    figures = sorted(figures[1:])
    benchmark.extra_info["per_second"] = round(figures[len(figures) // 2])
    benchmark.extra_info["per_second_min_max"] = [round(figures[0]), round(figures[-1])]
    benchmark.extra_info["records"] = records
