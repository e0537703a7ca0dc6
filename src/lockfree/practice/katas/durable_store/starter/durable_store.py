import struct
import threading
import zlib


class Store:
    def __init__(self, disk):
        self.disk = disk

    def put(self, key, value):
        raise NotImplementedError

    def get(self, key):
        raise NotImplementedError

    def delete(self, key):
        raise NotImplementedError

    def compact(self):
        raise NotImplementedError
