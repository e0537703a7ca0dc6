import threading
import time


class Cache:
    def __init__(self, capacity, ttl, load):
        self.capacity = capacity
        self.ttl = ttl
        self.load = load
        self.lock = threading.Lock()

    def get(self, key):
        raise NotImplementedError

    def drop(self, key):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError
