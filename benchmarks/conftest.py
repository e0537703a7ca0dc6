"""For bench_linearize.py, which pytest runs: its results name the machine, and are shown per second."""

import sys
from pathlib import Path

from lockfree.machine import describe

sys.path.insert(0, str(Path(__file__).parent))


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info.update(describe.describe())


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    rows = [(b.name, b.extra_info) for b in session.benchmarks if b.extra_info] if session is not None else []
    if rows:
        terminalreporter.write_sep("-", "operations per second")
    for name, info in rows:
        low, high = info["per_second_min_max"]
        terminalreporter.write_line(f"{info['per_second']:>12,.0f}/s  [{low:,} .. {high:,}]  {name}")
