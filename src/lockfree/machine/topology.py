"""The processors that a run may use, as /sys describes them: sockets, cores, hardware threads, memory nodes, caches."""

import os
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/sys/devices/system")
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Cpu:
    """One logical processor. None: the system does not say."""

    number: int
    socket: int | None
    core: int | None
    """Number of the physical core, within its socket."""
    node: int | None
    """Number of the memory node (NUMA)."""
    siblings: str
    """The logical processors of the same core, as in "0,4"."""

    def place(self) -> str:
        """Where it is, in words that end in a colon; empty if the system does not say."""
        parts = [(self.core, "core"), (self.socket, "socket"), (self.node, "memory node")]
        return (
            ", ".join(f"{what} {number}" for number, what in parts if number is not None) + ": "
            if self.siblings
            else ""
        )


@dataclass(frozen=True)
class Cache:
    """One kind of cache. `shared` names the processors that share each of them, as in "0-1"."""

    level: int
    kind: str
    size: str
    shared: list[str]

    def __str__(self) -> str:
        kind = {"Data": "d", "Instruction": "i"}.get(self.kind, "")
        how = f"{len(self.shared)} of them" if len(self.shared) > 1 else f"shared by {self.shared[0]}"
        return f"L{self.level}{kind} {self.size} ({how})"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text.lstrip("-").isdecimal() else None


def cpus(system: Path = SYSTEM, allowed: set[int] | None = None) -> list[Cpu]:
    """The logical processors that this process may run on."""
    found = []
    for number in sorted(os.sched_getaffinity(0) if allowed is None else allowed):
        at = system / f"cpu/cpu{number}"
        nodes = [p.name.removeprefix("node") for p in at.glob("node[0-9]*")]
        found.append(
            Cpu(
                number,
                _number(at / "topology/physical_package_id"),
                _number(at / "topology/core_id"),
                int(nodes[0]) if nodes else None,
                _read(at / "topology/thread_siblings_list"),
            )
        )
    return found


def caches(system: Path = SYSTEM, allowed: set[int] | None = None) -> list[Cache]:
    """The caches of these processors, the smallest level first."""
    shared: dict[tuple[int, str, str], list[str]] = {}
    for number in sorted(os.sched_getaffinity(0) if allowed is None else allowed):
        for at in sorted((system / f"cpu/cpu{number}/cache").glob("index*")):
            level, by = _number(at / "level"), _read(at / "shared_cpu_list")
            if level is None or not by:
                continue
            by_whom = shared.setdefault((level, _read(at / "type"), _read(at / "size")), [])
            if by not in by_whom:
                by_whom.append(by)
    return [Cache(level, kind, size, by) for (level, kind, size), by in sorted(shared.items())]


def quota(cgroup: Path = CGROUP) -> float | None:
    """How many processors' worth of time a container may use; None: no limit, or none that is visible."""
    limit = _read(cgroup / "cpu.max").split()
    if not limit:
        limit = [_read(cgroup / f"cpu/cpu.cfs_{what}_us") for what in ("quota", "period")]
    if len(limit) != 2 or not all(part.isdecimal() for part in limit) or int(limit[1]) == 0:
        return None
    return int(limit[0]) / int(limit[1])


def summary(found: list[Cpu]) -> str:
    """In words: such as "8 logical processors on 4 cores (2 threads each), 1 socket, 1 memory node"."""

    def count(number: int, what: str) -> str:
        return f"{number} {what}{'' if number == 1 else 's'}"

    parts = [count(len(found), "logical processor")]
    cores = {(cpu.socket, cpu.siblings or cpu.core) for cpu in found}
    if all(cpu.core is not None for cpu in found):
        parts[0] += f" on {count(len(cores), 'core')}"
        if len(cores) < len(found):
            parts[0] += f" ({len(found) / len(cores):g} threads each)"
    sockets = {cpu.socket for cpu in found}
    nodes = {cpu.node for cpu in found}
    parts += [count(len(sockets), "socket")] if None not in sockets else []
    parts += [count(len(nodes), "memory node")] if None not in nodes else []
    return ", ".join(parts)
