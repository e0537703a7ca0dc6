"""The named segments of this machine: lists them with their holders, and removes those that no live process holds."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from lockfree._errors import OK, SegmentError, raise_status
from lockfree._handover import DIRECTORY, PREFIX
from lockfree._names import class_of
from lockfree._native import NULL, ffi, lib
from lockfree._segment import note_of

_ROOM = 4096


@dataclass(frozen=True)
class Segment:
    """One named segment. `size` in bytes, `age` in seconds since its last change of inode, `pids` of live holders."""

    name: str
    kind: str
    size: int
    age: float
    in_use: bool
    pids: list[int] = field(default_factory=list)
    problem: str = ""
    persistent: bool = False
    """Made to outlive its users: only who names it removes it."""


def _open(name: str) -> tuple[object, int]:
    handle = ffi.gc(ffi.new("struct lf_handle *"), lib.lf_py_detach)
    return handle, lib.lf_py_open(handle, os.fsencode(name))


def _mappers() -> dict[int, set[int]]:
    """The pids that have each inode of DIRECTORY mapped: also forked children that have not used the object yet.

    Only those whose maps this user may read.
    """
    mapped: dict[int, set[int]] = {}
    where = f"{DIRECTORY}/"  # its creator sees it under a temporary name
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            lines = [line for line in maps.read_text(errors="replace").splitlines() if where in line]
        except OSError:
            continue
        for line in lines:
            mapped.setdefault(int(line.split(maxsplit=5)[4]), set()).add(int(maps.parent.name))
    return mapped


def segments() -> list[Segment]:
    """All named segments, by name. One that cannot be read as a segment is listed with what is wrong with it."""
    found: list[Segment] = []
    paths = sorted(Path(DIRECTORY).glob(PREFIX + "*"))
    if not paths:
        return found  # the maps of all processes are many
    mappers = _mappers()
    for path in paths:
        name = path.name.removeprefix(PREFIX)
        try:
            status = path.lstat()  # a symbolic link may lead nowhere, or to itself
            found.append(_inspect(name, status, mappers.get(status.st_ino, set())))
        except FileNotFoundError:
            continue  # removed while we looked
    return found


def _kind(number: int, note: bytes) -> str:
    """The class of a kind of segments; Atomic for all of that family."""
    text = lib.lf_py_kind_name(number)
    if text == NULL:
        return f"kind {number}"
    return class_of(ffi.string(text).decode(), note)


def _inspect(name: str, file: os.stat_result, mappers: set[int]) -> Segment:
    age = max(0.0, time.time() - file.st_ctime)
    handle, status = _open(name)
    if status != OK:
        try:
            raise_status(status, name, handle)
        except FileNotFoundError:
            raise
        except ValueError:  # of none or more than 200 bytes
            return Segment(name, "?", file.st_size, age, in_use=True, problem=f"{name!r} is no name of a segment")
        except (OSError, SegmentError) as error:
            return Segment(name, "?", file.st_size, age, in_use=True, problem=str(error))
    number = lib.lf_py_kind(handle)
    pids = ffi.new(f"uint32_t[{_ROOM}]")
    count = lib.lf_py_pids(handle, pids, _ROOM)
    in_use = bool(lib.lf_segment_in_use(handle))
    looking = set() if os.getpid() in pids[0:count] else {os.getpid()}  # this very look maps it, too
    holders = sorted({*pids[0:count], *mappers} - looking) if in_use else []
    lasting = bool(lib.lf_py_block_pool_is_persistent(handle))
    return Segment(name, _kind(number, note_of(handle)), file.st_size, age, in_use, holders, persistent=lasting)


def sweep(name: str) -> bool:
    """Removes the segment if no live process holds it: whether it did. SegmentError if it is not a segment."""
    handle, status = _open(name)
    if status != OK:
        raise_status(status, name, handle)
    status = lib.lf_segment_sweep(handle, os.fsencode(name))
    if status < 0:
        raise_status(status, name, handle)
    return bool(status)
