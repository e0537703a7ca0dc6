# fails: kill D4
import json
import threading
import zlib


def pack(thing):
    body = json.dumps(thing).encode()
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def unpack(data):
    """What is whole at the beginning, and how many bytes that is."""
    at, things = 0, []
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 8 : at + 8 + size]
        if size == 0 or len(body) < size or zlib.crc32(body) != int.from_bytes(data[at + 4 : at + 8], "big"):
            break
        things.append(json.loads(body))
        at += 8 + size
    return things, at


class Store:
    def __init__(self, disk):
        self.disk = disk
        self.mutex = threading.Lock()
        self.table = {}
        if "log" not in disk.names():
            disk.write("log", b"")
            disk.sync("log")
            disk.sync_names()
        data = disk.read("log")
        things, good = unpack(data)
        if good < len(data):
            disk.truncate("log", good)
        disk.sync("log")
        disk.sync_names()
        for key, value in things:
            self.apply(key, value)
        self.lines = len(things)

    def apply(self, key, value):
        if value is None:
            self.table.pop(key, None)
        else:
            self.table[key] = value

    def change(self, key, value):
        with self.mutex:
            self.disk.append("log", pack([key, value]))
            self.disk.sync("log")
            self.apply(key, value)
            self.lines += 1
            if self.lines > 20 + 4 * len(self.table):
                self.squeeze()

    def put(self, key, value):
        self.change(key, value)

    def delete(self, key):
        self.change(key, None)

    def get(self, key):
        with self.mutex:
            return self.table.get(key)

    def compact(self):
        with self.mutex:
            self.squeeze()

    def squeeze(self):
        for k, v in self.table.items():
            self.disk.append("new", pack([k, v]))
        if not self.table:
            self.disk.write("new", b"")
        self.disk.sync("new")
        self.disk.rename("new", "log")
        self.disk.sync_names()
        self.lines = len(self.table)
