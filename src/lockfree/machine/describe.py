"""The machine that a run uses: processors, system, compiler, commit."""

import os
import platform
import resource
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lockfree
from lockfree._native.machine import ffi, lib
from lockfree.machine import topology


def describe() -> dict[str, Any]:
    """Machine, kernel, interpreter, compiler and version."""
    cpus = topology.cpus()
    return {
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "usable_cpus": len(cpus),
        "topology": topology.summary(cpus),
        "cpu_list": [asdict(cpu) for cpu in cpus],
        "caches": [str(cache) for cache in topology.caches()],
        "cpu_quota": topology.quota(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": ffi.string(lib.lf_machine_compiler()).decode(),
        "clock": "CLOCK_MONOTONIC",
        "clock_ns": int(lib.lf_machine_clock_cost()),
        "lockfree": lockfree.__version__,
        "commit": _commit(),
    }


def peak_bytes() -> int:
    """The largest resident set of this process and of the processes that it waited for, in bytes."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(w).ru_maxrss for w in who) * 1024


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit of the work tree that this code is in, if it is in one."""
    here = Path(lockfree.__file__).resolve().parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
