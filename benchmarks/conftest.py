"""Every result file says on which machine, with which compiler and from which commit it came."""

import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import lockfree

sys.path.insert(0, str(Path(__file__).parent))


def _line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"


def _cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["cpu_model"] = _cpu()
    machine_info["cpus_usable"] = len(__import__("os").sched_getaffinity(0))
    machine_info["compiler"] = _line(sysconfig.get_config_var("CC").split()[0], "--version")
    machine_info["commit"] = _line("git", "rev-parse", "--short", "HEAD")
    machine_info["lockfree"] = lockfree.__version__


@pytest.fixture
def many(benchmark):
    """Times `statement` in the body of a compiled loop, so that the harness's own call is not part of the figure."""

    def run(statement, calls=1000, **names):
        source = f"def loop(): \n    for _ in range({calls}):\n        {statement}"
        scope = dict(names)
        exec(source, scope)
        benchmark.extra_info["calls_per_round"] = calls
        benchmark.extra_info["statement"] = statement
        benchmark.pedantic(scope["loop"], rounds=40, warmup_rounds=3)
        benchmark.extra_info["ns_per_call"] = round(benchmark.stats["median"] / calls * 1e9, 1)
        low, high = benchmark.stats["min"] / calls * 1e9, benchmark.stats["max"] / calls * 1e9
        benchmark.extra_info["ns_min_max"] = [round(low, 1), round(high, 1)]

    return run


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    if session is None:
        return
    rows = [(b.group or "", b.name, b.extra_info) for b in session.benchmarks if b.extra_info]
    if not rows:
        return
    terminalreporter.write_sep("-", "per call, or per second")
    for group, name, info in sorted(rows, key=lambda row: (row[0], row[2].get("ns_per_call", 0))):
        figure = f"{info['ns_per_call']:>10.1f} ns" if "ns_per_call" in info else f"{info['per_second']:>10,.0f}/s"
        spread = info.get("ns_min_max") or info.get("per_second_min_max")
        terminalreporter.write_line(f"{group:<28} {figure}  [{spread[0]:,} .. {spread[1]:,}]  {name}")
