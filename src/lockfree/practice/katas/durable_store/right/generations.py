import json
import threading
import zlib


def line(*words):
    body = json.dumps(words).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def lines(content):
    """The whole lines, up to the first that is not."""
    found = []
    for text in content.split(b"\n")[:-1]:
        check, _, body = text.partition(b" ")
        if check != b"%08x" % zlib.crc32(body):
            break
        found.append(json.loads(body))
    return found


class Store:
    """A log for each generation. The first line of a log is what was there when it began; the last whole one counts."""

    def __init__(self, disk):
        self.disk = disk
        self.lock = threading.RLock()
        self.data = {}
        self.number = 0
        logs = sorted((int(name[3:]) for name in disk.names() if name.startswith("log")), reverse=True)
        for number in logs:
            found = lines(disk.read(f"log{number}"))
            if not found:
                continue
            self.number = number
            self.data = dict(found[0][1])
            for kind, *words in found[1:]:
                if kind == "put":
                    self.data[words[0]] = words[1]
                else:
                    self.data.pop(words[0], None)
            break
        self.compact()

    def record(self, *words):
        self.disk.append(f"log{self.number}", line(*words))
        self.disk.sync(f"log{self.number}")

    def put(self, key, value):
        with self.lock:
            self.record("put", key, value)
            self.data[key] = value

    def delete(self, key):
        with self.lock:
            self.record("delete", key)
            self.data.pop(key, None)

    def get(self, key):
        with self.lock:
            return self.data.get(key)

    def compact(self):
        with self.lock:
            logs = [name for name in self.disk.names() if name.startswith("log")]
            self.number = max([int(name[3:]) for name in logs], default=0) + 1
            self.disk.write(f"log{self.number}", line("all", sorted(self.data.items())))
            self.disk.sync(f"log{self.number}")
            self.disk.sync_names()
            for name in logs:
                self.disk.remove(name)
            self.disk.sync_names()
