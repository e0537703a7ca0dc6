# fails: schedules M4
import threading


class Allocator:
    """Best fit. The free blocks by their begin and by their end, so that both neighbours are found at once."""

    def __init__(self, size):
        self.lock = threading.Lock()
        self.used = {}
        self.begins = {0: size}
        self.ends = {size: 0}

    def alloc(self, size):
        if size < 1:
            raise ValueError(f"size is {size}; it must be 1 or more")
        with self.lock:
            fitting = [(end - begin, begin) for begin, end in self.begins.items() if end - begin >= size]
            if not fitting:
                return None
            length, begin = min(fitting)
            end = self.begins.pop(begin)
            del self.ends[end]
            if length > size:
                self.add(begin + size, end)
            self.used[begin] = begin + size
            return begin

    def add(self, begin, end):
        self.begins[begin] = end
        self.ends[end] = begin

    def free(self, offset):
        with self.lock:
            end = self.used.pop(offset, None)
            if end is None:
                raise ValueError(f"{offset} is not the offset of a block")
            begin = offset
            if begin in self.ends:
                left = self.ends.pop(begin)
                del self.begins[left]
                begin = left
            if end in self.begins:
                right = self.begins.pop(end)
                del self.ends[right]
                end = right
        with self.lock:
            self.add(begin, end)

    def largest_free(self):
        with self.lock:
            return max((end - begin for begin, end in self.begins.items()), default=0)
