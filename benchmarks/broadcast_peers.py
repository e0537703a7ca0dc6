"""What a BroadcastRing is measured beside: a ring of byte flags as inference engines write it by hand, and pyzmq PUB.

Each peer has one writer and `readers` readers: `peer.writer()` gives put(message) in one process, `peer.reader(number)`
gives get() in each of the others. Both wait as long as it takes.
"""

import mmap
import os
import threading
from pathlib import Path

from frame.names import folder
from frame.peers import package

import lockfree


class Ours:
    name, ours = "BroadcastRing", True

    def __init__(self, readers, size):
        self.ring = lockfree.BroadcastRing(size, readers)

    def writer(self):
        self.ring.wait_for_readers(timeout=60)
        return self.ring.put

    def reader(self, number):
        self.ring.join(number)
        return self.ring.get

    def end(self):
        self.ring.shutdown(immediate=True)

    def close(self):
        self.ring.close()


class FlagRing:
    """Slots of a fixed size. A slot has a flag that it is written, and one for each reader that it has been read.

    The writer waits until all have read the slot, resets the flags, and writes; each step with the fences that it needs
    (docs/guides/broadcast-ring.md). A fence from Python is a lock that nobody else holds. Waiting is `sched_yield`.
    """

    name, ours = "ring of byte flags", False
    SLOTS = 10

    def __init__(self, readers, size):
        self.slot = size // self.SLOTS
        self.stride = 1 + readers
        self.memory = mmap.mmap(-1, self.SLOTS * (self.stride + self.slot))
        self.flags = memoryview(self.memory)[: self.SLOTS * self.stride]
        self.data = memoryview(self.memory)[self.SLOTS * self.stride :]
        self.lock = threading.Lock()
        self.number = 0

    def fence(self):
        with self.lock:
            pass

    def writer(self):
        return self.put

    def put(self, message):
        flags, slot, stride, fence, number = self.flags, self.slot, self.stride, self.fence, self.number
        at = number % self.SLOTS * stride
        while True:
            fence()
            if not flags[at] or all(flags[at + 1 : at + stride]):
                break
            os.sched_yield()
        flags[at] = 0
        fence()
        begin = number % self.SLOTS * slot
        self.data[begin : begin + 4] = len(message).to_bytes(4, "little")
        self.data[begin + 4 : begin + 4 + len(message)] = message
        for k in range(1, stride):
            flags[at + k] = 0
        fence()
        flags[at] = 1
        fence()
        self.number += 1

    def reader(self, number):
        self.me = 1 + number
        return self.get

    def get(self):
        flags, slot, fence, number = self.flags, self.slot, self.fence, self.number
        at = number % self.SLOTS * self.stride
        while True:
            fence()
            if flags[at] and not flags[at + self.me]:
                break
            os.sched_yield()
        fence()
        begin = number % self.SLOTS * slot
        length = int.from_bytes(self.data[begin : begin + 4], "little")
        found = bytes(self.data[begin + 4 : begin + 4 + length])
        fence()
        flags[at + self.me] = 1
        fence()
        self.number += 1
        return found

    def end(self): ...

    def close(self): ...


class Pub:
    """XPUB that waits instead of dropping. The writer waits for the subscriptions."""

    name, ours = "pyzmq PUB", False

    def __init__(self, readers, _size):
        self.zmq, self.readers = package("zmq"), readers
        self.folder = folder()

    def writer(self):
        zmq = self.zmq
        socket = zmq.Context().socket(zmq.XPUB)
        socket.setsockopt(zmq.SNDHWM, 1000)
        socket.setsockopt(zmq.XPUB_NODROP, 1)
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        socket.linger = 0
        socket.bind(f"ipc://{self.folder}/s")
        for _ in range(self.readers):
            socket.recv()
        return socket.send

    def reader(self, _number):
        zmq = self.zmq
        socket = zmq.Context().socket(zmq.SUB)
        socket.linger = 0
        socket.connect(f"ipc://{self.folder}/s")
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        return socket.recv

    def end(self): ...

    def close(self):
        for path in Path(self.folder).glob("*"):
            path.unlink()
        Path(self.folder).rmdir()


PEERS = [Ours, FlagRing, Pub]
