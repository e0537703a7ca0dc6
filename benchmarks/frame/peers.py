"""Queues of messages between processes, each behind the same few calls: ours, the standard library's, and packages'.

    made = Peer(capacity, size)     in the parent, before the processes are forked
    put = made.producer()           in a process that sends: put(message) waits for room
    get = made.consumer()           in one that receives: get() waits for a message
    made.end(), made.close()        in the parent, at the end

A package that is not installed is a Skip. Peers that only try are retried, with sched_yield between.
"""

import datetime as dt
import importlib
import multiprocessing
import os
import queue
from collections.abc import Callable
from functools import partial
from pathlib import Path

import lockfree
from frame.columns import Skip
from frame.names import folder, fresh


def package(name: str):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Skip(f"{name} cannot be imported: {error}") from None


def retried(attempt: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def put(message: bytes) -> None:
        while not attempt(message):
            os.sched_yield()

    return put


def polled(attempt: Callable[[], object]) -> Callable[[], object]:
    def get() -> object:
        while (found := attempt()) is None:
            os.sched_yield()
        return found

    return get


class Peer:
    name = ""
    ours = False
    many_to_many = True
    note = ""
    grace = 0.05
    """Of a load: most have no call that ends the waiting of others, so their processes are killed."""

    def end(self) -> None: ...

    def close(self) -> None: ...


class Ours(Peer):
    ours, grace = True, 1.0
    kind: type

    def __init__(self, capacity, size):
        self.ring = self.kind(capacity, size)

    def producer(self):
        return self.ring.put

    def consumer(self):
        return self.ring.get

    def producer_many(self):
        return partial(self.ring.put_many, block=True)

    def consumer_many(self):
        return partial(self.ring.get_many, block=True)

    def end(self):
        self.ring.shutdown(immediate=True)

    def close(self):
        self.ring.close()


class Spsc(Ours):
    name, kind, many_to_many = "SPSCRing", lockfree.SPSCRing, False


class Mpmc(Ours):
    name, kind = "MPMCRing", lockfree.MPMCRing


class Message(Ours):
    name = "MessageRing"

    def __init__(self, capacity, size):
        block = 128 if size <= 64 else 1040 if size <= 1024 else 16_400
        self.ring = lockfree.MessageRing(min(1 << 26, max(1 << 16, capacity * (size + 64))), block)


class MpQueue(Peer):
    name = "multiprocessing.Queue"

    def __init__(self, capacity, _size):
        self.queue = multiprocessing.get_context("fork").Queue(min(capacity, 32_767))

    def producer(self):
        return self.queue.put

    def consumer(self):
        return self.queue.get

    def close(self):
        self.queue.close()


class MpPipe(Peer):
    name, many_to_many = "multiprocessing.Pipe", False

    def __init__(self, _capacity, _size):
        self.reader, self.writer = multiprocessing.get_context("fork").Pipe(duplex=False)

    def producer(self):
        return self.writer.send_bytes

    def consumer(self):
        return self.reader.recv_bytes

    def close(self):
        self.reader.close()
        self.writer.close()


class FasterFifo(Peer):
    name = "faster-fifo"

    def __init__(self, capacity, size):
        made = package("faster_fifo").Queue(max(1 << 16, capacity * (size + 8)), loads=bytes, dumps=bytes)
        self.queue, self.full, self.empty = made, queue.Full, queue.Empty

    def producer(self):
        return partial(self.queue.put, timeout=60)

    def consumer(self):
        return partial(self.queue.get, timeout=60)

    def producer_many(self):
        put = partial(self.queue.put_many, timeout=60)

        def put_many(messages):
            put(messages)
            return len(messages)

        return put_many

    def consumer_many(self):
        return lambda count: self.queue.get_many(timeout=60, max_messages_to_get=count)

    def close(self):
        self.queue.close()


class Zmq(Peer):
    name, note = "pyzmq PUSH/PULL", "over ipc://"
    many_to_many = False  # one end binds, and here that is the one consumer

    def __init__(self, capacity, _size):
        self.zmq, self.capacity = package("zmq"), capacity
        self.folder = folder()
        self.address = f"ipc://{self.folder}/s"

    def _socket(self, kind):
        made = self.zmq.Context().socket(kind)
        made.set_hwm(self.capacity)
        made.linger = 0
        return made

    def producer(self):
        made = self._socket(self.zmq.PUSH)
        made.connect(self.address)
        return made.send

    def consumer(self):
        made = self._socket(self.zmq.PULL)
        made.bind(self.address)
        return made.recv

    def close(self):
        for path in Path(self.folder).glob("*"):
            path.unlink()
        Path(self.folder).rmdir()


class PosixQueue(Peer):
    name = "posix_ipc.MessageQueue"

    def __init__(self, capacity, size):
        self.name_ = "/" + fresh()
        self.queue = None
        module = package("posix_ipc")
        for room in (capacity, 10):  # the kernel's bound for users is 10
            try:
                self.queue = module.MessageQueue(self.name_, module.O_CREX, max_messages=room, max_message_size=size)
                return
            except (OSError, ValueError):
                continue
        raise Skip(f"the kernel refuses a message queue of {size} bytes a message")

    def producer(self):
        return self.queue.send

    def consumer(self):
        receive = self.queue.receive
        return lambda: receive()[0]

    def close(self):
        self.queue.close()
        self.queue.unlink()


class Subetha(Peer):
    """Their classes are of fixed items of at most a slot; longer ones are refused."""

    kind = ""

    def __init__(self, capacity, size):
        self.module = package("subetha")
        self.path, self.capacity = f"/dev/shm/{fresh()}", capacity
        self.made = getattr(self.module, self.kind)(self.path, capacity, **self.options())
        room = getattr(self.made, "max_item_size", None) or getattr(self.made, "payload_size", None)
        room = room() if callable(room) else room
        if room is not None and size > room:
            self.close()
            raise Skip(f"it carries at most {room} bytes an item")

    def options(self):
        return {}

    def _open(self):
        return getattr(self.module, self.kind).open(self.path, self.capacity)

    def close(self):
        for path in Path("/dev/shm").glob(f"{Path(self.path).name}*"):
            path.unlink()


class SubethaChannel(Subetha):
    name, kind = "subetha Channel", "Channel"

    def options(self):
        return {"senders": 8, "readers": 8}

    def producer(self):
        return self._open().send_for

    def consumer(self):
        return self._open().recv_for

    def producer_many(self):
        made = self._open()
        return made.send_many

    def consumer_many(self):
        made = self._open()
        return made.recv_many


class SubethaSpsc(Subetha):
    name, kind, many_to_many = "subetha SpscRing", "SpscRing", False

    def producer(self):
        return retried(self._open().push)

    def consumer(self):
        return polled(self._open().pop)

    def producer_many(self):
        return self._open().push_many

    def consumer_many(self):
        return self._open().pop_many


class Cloudtoid(Peer):
    name = "cloudtoid-interprocess"

    def __init__(self, capacity, size):
        self.module = package("cloudtoid_interprocess")
        self.room = max(1 << 12, capacity * ((size + 31) // 8 * 8))
        self.folder, self.queue = folder(), fresh()

    def producer(self):
        return retried(self.module.Publisher(self.queue, self.room, self.folder).try_send)

    def consumer(self):
        return self.module.Subscriber(self.queue, self.room, self.folder).receive

    def close(self):
        import shutil

        shutil.rmtree(self.folder, ignore_errors=True)


class Membridge(Peer):
    name, many_to_many = "membridge spsc", False

    def __init__(self, capacity, size):
        module = package("membridge")
        room = 1 << (max(4096, capacity * (size + 4)) - 1).bit_length()
        self.module, self.shm = module, "/" + fresh()
        self.memory = module.SharedMemory.create(self.shm, room + 24)
        self.ring = self.memory.spsc()

    def producer(self):
        return retried(self.module.SharedMemory.open(self.shm).spsc().push)

    def consumer(self):
        return polled(self.module.SharedMemory.open(self.shm).spsc().pop)

    def close(self):
        self.module.SharedMemory.remove(self.shm)


class Kickmsg(Peer):
    name, note, many_to_many = "kickmsg", "loses messages when its reader is slow", False

    def __init__(self, capacity, size):
        self.module, self.space = package("kickmsg"), fresh()
        config = self.module.Config()
        ring = 1 << (max(64, min(capacity, 1024)) - 1).bit_length()
        config.max_payload_size, config.sub_ring_capacity, config.pool_size = size, ring, 4 * ring
        self.node = self.module.Node("parent", self.space)
        self.publisher = self.node.advertise("t", config)

    def producer(self):
        send = self.publisher.send

        def put(message):
            while True:
                try:
                    send(message)
                except BlockingIOError:
                    os.sched_yield()
                else:
                    return

        return put

    def consumer(self):
        receive = self.module.Node(f"c{os.getpid()}", self.space).subscribe("t").receive
        wait = dt.timedelta(seconds=1)

        def get():
            while (found := receive(wait)) is None:
                pass
            return found

        return get

    def close(self):
        self.node.unlink_topic("t")


QUEUES = [
    Spsc,
    Mpmc,
    MpQueue,
    MpPipe,
    FasterFifo,
    Zmq,
    PosixQueue,
    SubethaChannel,
    SubethaSpsc,
    Cloudtoid,
    Membridge,
    Kickmsg,
]


def queues(*, many_to_many: bool = False, batches: bool = False, without: tuple[type, ...] = ()) -> list[type[Peer]]:
    """Those that can do it."""
    found = [peer for peer in QUEUES if peer.many_to_many or not many_to_many]
    return [peer for peer in found if (not batches or hasattr(peer, "producer_many")) and peer not in without]
