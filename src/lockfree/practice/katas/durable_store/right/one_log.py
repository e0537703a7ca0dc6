import struct
import threading
import zlib

HEAD = struct.Struct("<III")  # checksum of what follows, bytes of the key, bytes of the value + 1 (0: deleted)


def packed(key, value):
    name = key.encode("utf-8", "surrogatepass")
    data = b"" if value is None else value.encode("utf-8", "surrogatepass")
    body = HEAD.pack(0, len(name), 0 if value is None else len(data) + 1)[4:] + name + data
    return struct.pack("<I", zlib.crc32(body)) + body


def unpacked(log):
    """The records of a log, each with the place where it ends; stops at the first that is not whole."""
    at = 0
    while at + HEAD.size <= len(log):
        check, keys, values = HEAD.unpack_from(log, at)
        end = at + HEAD.size + keys + max(0, values - 1)
        if end > len(log) or zlib.crc32(log[at + 4 : end]) != check:
            return
        name = log[at + HEAD.size : at + HEAD.size + keys].decode("utf-8", "surrogatepass")
        value = log[at + HEAD.size + keys : end].decode("utf-8", "surrogatepass") if values else None
        yield name, value, end
        at = end


class Store:
    def __init__(self, disk):
        self.disk = disk
        self.lock = threading.Lock()
        self.values = {}
        if "log" not in disk.names():
            disk.write("log", b"")
        log, end = disk.read("log"), 0
        for key, value, after in unpacked(log):
            end = after
            self.keep(key, value)
        disk.truncate("log", end)
        disk.sync("log")
        disk.sync_names()

    def keep(self, key, value):
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value

    def change(self, key, value):
        with self.lock:
            self.disk.append("log", packed(key, value))
            self.disk.sync("log")
            self.keep(key, value)

    def put(self, key, value):
        self.change(key, value)

    def delete(self, key):
        self.change(key, None)

    def get(self, key):
        with self.lock:
            return self.values.get(key)

    def compact(self):
        with self.lock:
            self.disk.write("new", b"".join(packed(key, value) for key, value in self.values.items()))
            self.disk.sync("new")
            self.disk.rename("new", "log")
            self.disk.sync_names()
