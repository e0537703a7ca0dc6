# fails: schedules M4
import threading


class Allocator:
    """A byte for each unit, and the sizes of what was given out. A free is two steps: for a moment the block is nobody's."""

    def __init__(self, size):
        self.units = bytearray(size)
        self.given = {}
        self.lock = threading.Lock()

    def alloc(self, size):
        if size < 1:
            raise ValueError(size)
        with self.lock:
            at = self.units.find(bytes(size))
            if at < 0:
                return None
            self.units[at : at + size] = b"x" * size
            self.given[at] = size
            return at

    def free(self, offset):
        with self.lock:
            if offset not in self.given:
                raise ValueError(offset)
            size = self.given.pop(offset)
        self.units[offset : offset + size] = bytes(size)

    def largest_free(self):
        with self.lock:
            return max(map(len, bytes(self.units).split(b"x")))
