"""How an object travels: as a descriptor to a process that is alive now, or as a name in bytes that can be kept."""

import errno
import os
import sys
from typing import TYPE_CHECKING, Any

from lockfree._errors import SegmentError

if TYPE_CHECKING:
    from lockfree._segment import Shared

DIRECTORY = "/dev/shm"  # noqa: S108  LF_NAME_DIR of segment.h
PREFIX = "lockfree."


def rebuild(cls: "type[Shared]", passage: "Passage | _Descriptor | _Name") -> "Shared":
    """What a pickle of an object calls: one more participant of the same segment."""
    return passage.adopt(cls)


def in_space(space: Any, cls: "type[Shared]", place: int) -> "Shared":
    """What a pickle of an object in a space calls: one more handle on it, in the space that has arrived."""
    return space._object_at(cls, place)  # type: ignore[no-any-return]


class Passage:
    """An object on its way. Picklers for other processes know this type; all others take its `__reduce__`."""

    _is_known = False

    def __init__(self, shared: "Shared") -> None:
        self.shared = shared

    @classmethod
    def introduce(cls) -> bool:
        """Tells `multiprocessing` of this type, if it is loaded: whether picklers that exist may not know it yet.

        Importing this package does not load `multiprocessing`, and a pickler learns of types when it is made. So this
        is called when an object is made, and when one is pickled.
        """
        reduction = None if cls._is_known else sys.modules.get("multiprocessing.reduction")
        if reduction is None:
            return False
        reduction.ForkingPickler.register(cls, _to_process)
        cls._is_known = True
        return True

    def adopt(self, cls: "type[Shared]") -> "Shared":
        """For `copy.copy`, which does not pickle."""
        return cls._adopt(self.shared._duplicate(), self.shared.name)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Passage":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if Passage.introduce():  # multiprocessing was loaded after the object was made, so this may be its pickler
            return _to_process(self)
        name, device, inode = self.shared._identity()
        title = self.shared._title()
        if name is None:
            raise RuntimeError(
                f"{title}: an object without a name can only be pickled for a process that is alive: while a child is "
                "spawned, or through a connection or queue of multiprocessing; give it a name to keep it in bytes"
            )
        try:
            file = os.stat(f"{DIRECTORY}/{PREFIX}{name}")
        except FileNotFoundError:
            file = None
        if file is None or (file.st_dev, file.st_ino) != (device, inode):
            raise FileNotFoundError(errno.ENOENT, "its name was removed, so nobody could find it by these bytes", title)
        return _Name, (name, device, inode)


def _to_process(passage: Passage) -> tuple[Any, ...]:
    """How a pickler of multiprocessing reduces it: as a descriptor. So it needs no name, or one that is removed."""
    from multiprocessing import reduction
    from multiprocessing.context import get_spawning_popen

    shared = passage.shared
    if get_spawning_popen() is not None:  # the child inherits our own descriptor
        return _Descriptor, (reduction.DupFd(shared._file(shared._h)), shared.name)
    copies = [shared._duplicate()]
    try:
        while copies[-1] <= 2 or len(copies) == 1:  # DupFd takes the lowest free number; 0 to 2 are the program's
            copies.append(os.dup(copies[0]))
        os.close(copies.pop())
        return _Descriptor, (reduction.DupFd(copies[0]), shared.name)
    finally:
        for copy in copies:
            os.close(copy)


class _Descriptor:
    """An object that has arrived: good for one `adopt`, while its sender lives."""

    def __init__(self, duplicate: Any, name: str | None) -> None:
        self.duplicate, self.name = duplicate, name

    def adopt(self, cls: "type[Shared]") -> "Shared":
        return cls._adopt(self.duplicate.detach(), self.name)


class _Name:
    """An object by its name, and by its file, since the name may stand for another one by now."""

    def __init__(self, name: str, device: int, inode: int) -> None:
        self.name, self.device, self.inode = name, device, inode

    def adopt(self, cls: "type[Shared]") -> "Shared":
        found = cls._attach_to(self.name)
        _, device, inode = found._identity()
        if (device, inode) != (self.device, self.inode):
            title = found._title()
            found.close()
            raise SegmentError(
                f"{title}: the name stands for another object than the one that was pickled: found inode {inode} of "
                f"device {device}, expected {self.inode} of {self.device}; attach() uses the one that is there"
            )
        return found
