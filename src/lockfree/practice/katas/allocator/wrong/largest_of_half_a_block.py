# fails: schedules M5
import threading


class Allocator:
    """A byte for each unit: 0 free, 1 the first of a block, 2 another one of it."""

    def __init__(self, size):
        self._map = bytearray(size)
        self._lock = threading.Lock()

    def alloc(self, size):
        if size < 1:
            raise ValueError("size")
        with self._lock:
            at = self._map.find(bytes(size))
            if at < 0:
                return None
            self._map[at : at + size] = b"\1" + b"\2" * (size - 1)
            return at

    def free(self, offset):
        with self._lock:
            if not isinstance(offset, int) or not 0 <= offset < len(self._map) or self._map[offset] != 1:
                raise ValueError("offset")
            self._map[offset] = 0
            offset += 1
            while offset < len(self._map) and self._map[offset] == 2:
                self._map[offset] = 0
                offset += 1

    def largest_free(self):
        return max(map(len, bytes(self._map).replace(b"\2", b"\1").split(b"\1")))
