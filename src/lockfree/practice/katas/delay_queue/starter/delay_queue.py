import threading
import time


class Closed(Exception):
    pass


class DelayQueue:
    def __init__(self):
        self.lock = threading.Lock()

    def put(self, task, delay):
        raise NotImplementedError

    def get(self, timeout=None):
        raise NotImplementedError

    def close(self):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError
