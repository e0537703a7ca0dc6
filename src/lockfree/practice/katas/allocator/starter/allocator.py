import threading


class Allocator:
    def __init__(self, size):
        self.size = size
        self.lock = threading.Lock()

    def alloc(self, size):
        raise NotImplementedError

    def free(self, offset):
        raise NotImplementedError

    def largest_free(self):
        raise NotImplementedError
