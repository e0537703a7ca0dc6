import threading


class Full(Exception):
    pass


class Empty(Exception):
    pass


class Shutdown(Exception):
    pass


class BoundedQueue:
    def __init__(self, maxsize):
        self.maxsize = maxsize
        self.lock = threading.Lock()

    def put(self, item, timeout=None):
        raise NotImplementedError

    def get(self, timeout=None):
        raise NotImplementedError

    def shutdown(self):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError
