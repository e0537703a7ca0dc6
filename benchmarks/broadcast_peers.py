"""What a BroadcastRing is measured beside: a ring of byte flags as inference engines write it by hand, and pyzmq PUB.

Each peer makes one writer and `readers` readers: `peer.write(messages)` in one process, `peer.read(number, count)` in
each of the others. `idle` is how a reader waits: as long as it takes.
"""

import mmap
import os
import time

import lockfree


class Ours:
    name = "lockfree"

    def __init__(self, readers, size):
        self.ring = lockfree.BroadcastRing(size, readers)
        self.readers = readers

    def write(self, messages, pause=0.0):
        self.ring.wait_for_readers(timeout=60)
        for message in messages:
            self.ring.put(message)
            if pause:
                time.sleep(pause)

    def read(self, number, count):
        self.ring.join(number)
        get = self.ring.get
        for _ in range(count):
            get()


class FlagRing:
    """Slots of a fixed size. A slot has a flag that it is written, and one for each reader that it has been read.

    The writer waits until all have read the slot, resets the flags, and writes; each step with the fences that it needs
    (docs/guides/broadcast-ring.md). A fence from Python is a lock that nobody else holds. Waiting is `sched_yield`.
    """

    name = "flag ring"
    SLOTS = 10

    def __init__(self, readers, size):
        import threading

        self.readers, self.slot = readers, size // self.SLOTS
        self.stride = 1 + readers
        self.memory = mmap.mmap(-1, self.SLOTS * (self.stride + self.slot))
        self.flags = memoryview(self.memory)[: self.SLOTS * self.stride]
        self.data = memoryview(self.memory)[self.SLOTS * self.stride :]
        self.lock = threading.Lock()

    def fence(self):
        with self.lock:
            pass

    def write(self, messages, pause=0.0):
        flags, slot, stride, fence = self.flags, self.slot, self.stride, self.fence
        for number, message in enumerate(messages):
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
            if pause:
                time.sleep(pause)

    def read(self, reader, count):
        flags, slot, stride, fence = self.flags, self.slot, self.stride, self.fence
        for number in range(count):
            at = number % self.SLOTS * stride
            while True:
                fence()
                if flags[at] and not flags[at + 1 + reader]:
                    break
                os.sched_yield()
            fence()
            begin = number % self.SLOTS * slot
            length = int.from_bytes(self.data[begin : begin + 4], "little")
            bytes(self.data[begin + 4 : begin + 4 + length])
            fence()
            flags[at + 1 + reader] = 1
            fence()


class Pub:
    """XPUB without a limit on what is queued, so that nothing is dropped. The writer waits for the subscriptions."""

    name = "pyzmq PUB"

    def __init__(self, readers, size):
        self.readers, self.address = readers, f"ipc:///tmp/lockfree-bench-{os.getpid()}"

    def write(self, messages, pause=0.0):
        import zmq

        socket = zmq.Context().socket(zmq.XPUB)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        socket.bind(self.address)
        for _ in range(self.readers):
            socket.recv()
        for message in messages:
            socket.send(message)
            if pause:
                time.sleep(pause)
        socket.close()
        socket.context.term()

    def read(self, number, count):
        import zmq

        socket = zmq.Context().socket(zmq.SUB)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.connect(self.address)
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        for _ in range(count):
            socket.recv()
        socket.close()
        socket.context.term()


PEERS = [Ours, FlagRing, Pub]
