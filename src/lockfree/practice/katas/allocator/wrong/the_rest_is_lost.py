# fails: edges M6
import threading


class Block:
    """All blocks, free or not, in a list by their offsets: the neighbours are those in the list."""

    def __init__(self, offset, size, before=None, behind=None):
        self.offset = offset
        self.size = size
        self.used = False
        self.before = before
        self.behind = behind


class Allocator:
    def __init__(self, size):
        self.lock = threading.Lock()
        self.first = Block(0, size)

    def all(self):
        block = self.first
        while block is not None:
            yield block
            block = block.behind

    def alloc(self, size):
        if size < 1:
            raise ValueError(f"size is {size}; it must be 1 or more")
        with self.lock:
            block = next((block for block in self.all() if not block.used and block.size >= size), None)
            if block is None:
                return None
            block.used = True
            return block.offset

    def free(self, offset):
        with self.lock:
            block = next((block for block in self.all() if block.used and block.offset == offset), None)
            if block is None:
                raise ValueError(f"{offset} is not the offset of a block")
            block.used = False
            if block.behind is not None and not block.behind.used:
                self.join(block)
            if block.before is not None and not block.before.used:
                self.join(block.before)

    def join(self, block):
        """Makes one of a free block and the free one behind it."""
        block.size += block.behind.size
        block.behind = block.behind.behind
        if block.behind is not None:
            block.behind.before = block

    def largest_free(self):
        with self.lock:
            return max((block.size for block in self.all() if not block.used), default=0)
