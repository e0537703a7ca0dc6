# fails: schedules M1
import bisect
import threading


class Allocator:
    """The free blocks as pairs (offset, size), sorted."""

    def __init__(self, size):
        self.lock = threading.Lock()
        self.used = {}
        self.blocks = [(0, size)]

    def alloc(self, size):
        if size < 1:
            raise ValueError(f"size is {size}; it must be 1 or more")
        for number, (offset, length) in enumerate(list(self.blocks)):
            if length >= size:
                with self.lock:
                    if length > size:
                        self.blocks[number] = (offset + size, length - size)
                    else:
                        del self.blocks[number]
                    self.used[offset] = size
                    return offset
        return None

    def free(self, offset):
        with self.lock:
            if offset not in self.used:
                raise ValueError(f"{offset} is not the offset of a block")
            begin, end = offset, offset + self.used.pop(offset)
            place = bisect.bisect(self.blocks, (begin, 0))
            if place < len(self.blocks) and self.blocks[place][0] == end:
                end += self.blocks.pop(place)[1]
            if place > 0 and sum(self.blocks[place - 1]) == begin:
                place -= 1
                begin = self.blocks.pop(place)[0]
            self.blocks.insert(place, (begin, end - begin))

    def largest_free(self):
        with self.lock:
            return max((length for _, length in self.blocks), default=0)
