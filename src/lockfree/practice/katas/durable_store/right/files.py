import threading
import zlib


class Store:
    """One file for each key, replaced by a rename. Slow, and simple: there is nothing to compact and no log to read."""

    def __init__(self, disk):
        self.disk = disk
        self.lock = threading.Lock()
        self.known = {}
        for name in disk.names():
            if name.startswith("k"):
                key = bytes.fromhex(name[1:]).decode("utf-8", "surrogatepass")
                self.known[key] = disk.read(name).decode("utf-8", "surrogatepass")
            else:
                disk.remove(name)
        disk.sync_names()

    def place(self, key):
        return "k" + key.encode("utf-8", "surrogatepass").hex()

    def put(self, key, value):
        with self.lock:
            self.disk.write("new", value.encode("utf-8", "surrogatepass"))
            self.disk.sync("new")
            self.disk.rename("new", self.place(key))
            self.disk.sync_names()
            self.known[key] = value

    def delete(self, key):
        with self.lock:
            if key in self.known:
                self.disk.remove(self.place(key))
                self.disk.sync_names()
                del self.known[key]

    def get(self, key):
        with self.lock:
            return self.known.get(key)

    def compact(self):
        pass
