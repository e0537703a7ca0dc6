import threading


class Semaphore:
    def __init__(self, permits, limit=None):
        self.free = permits
        self.limit = limit
        self.lock = threading.Lock()

    def acquire(self, timeout=None):
        raise NotImplementedError

    def release(self, count=1):
        raise NotImplementedError

    def value(self):
        raise NotImplementedError
