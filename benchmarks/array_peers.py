"""Arrays of 1 MiB from one process to another, made in shared memory and read there: ours and packages'.

    made = Peer()                   in the parent, before the processes are forked
    put = made.producer(fill)       in a process that sends: put() makes one array, calls fill(array), and sends it
    get = made.consumer(use)        in one that receives: get() waits for one, and calls use(array)

Peers that only try are retried, with sched_yield between.
"""

import ctypes
import datetime as dt
import os

import numpy as np
from frame.names import MARK, folder, fresh
from frame.peers import Peer, package

import lockfree

BYTES = 1 << 20
KIND = np.dtype("f4")
ITEMS = BYTES // KIND.itemsize
AHEAD = 4
"""Arrays that may be on their way."""


class Ours(Peer):
    name, ours, grace = "Arena and SPSCRing", True, 1.0

    def __init__(self):
        self.arena = lockfree.Arena(2 * AHEAD * BYTES)
        self.ring = lockfree.SPSCRing(AHEAD, 16)

    def producer(self, fill):
        alloc, send = self.arena.alloc, self.ring.put

        def put():
            block = alloc(BYTES, block=True)
            fill(block.array(KIND))
            send(block.handle())

        return put

    def consumer(self, use):
        open_block, receive = self.arena.open_block, self.ring.get
        return lambda: use(open_block(receive()).array(KIND))

    def end(self):
        self.ring.shutdown(immediate=True)
        self.arena.shutdown()

    def close(self):
        self.ring.close()
        self.arena.close()


class Looking(Ours):
    name, note = "Arena and SPSCRing, spin=1000", "looks for a millisecond before it sleeps; iceoryx2 polls"

    def __init__(self):
        self.arena = lockfree.Arena(2 * AHEAD * BYTES, spin=1000)
        self.ring = lockfree.SPSCRing(AHEAD, 16, spin=1000)


class OurQueue(Ours):
    name = "Queue through an Arena"

    def __init__(self):
        self.arena = lockfree.Arena(2 * AHEAD * BYTES)
        self.ring = lockfree.Queue(AHEAD, arena=self.arena)

    def producer(self, fill):
        alloc, send = self.arena.alloc, self.ring.put

        def put():
            array = alloc(BYTES, block=True).array(KIND)
            fill(array)
            send(array)

        return put

    def consumer(self, use):
        receive = self.ring.get
        return lambda: use(receive())


class Kickmsg(Peer):
    name, note = "kickmsg", "loses arrays when its reader is slow"

    def __init__(self):
        self.module, self.space = package("kickmsg"), fresh()
        config = self.module.Config()
        config.max_payload_size, config.sub_ring_capacity, config.pool_size = BYTES, AHEAD, 2 * AHEAD
        self.node = self.module.Node("parent", self.space)
        self.publisher = self.node.advertise("t", config)

    def producer(self, fill):
        allocate = self.publisher.allocate

        def put():
            while (slot := allocate()) is None:
                os.sched_yield()
            fill(np.frombuffer(slot, KIND, ITEMS))
            slot.publish(BYTES)

        return put

    def consumer(self, use):
        receive = self.module.Node(f"c{os.getpid()}", self.space).subscribe("t").receive_view
        wait = dt.timedelta(seconds=1)

        def get():
            while (view := receive(wait)) is None:
                pass
            use(np.frombuffer(view, KIND))

        return get

    def close(self):
        self.node.unlink_topic("t")


class Iceoryx2(Peer):
    name = "iceoryx2"
    node = None

    def __init__(self):
        self.module, self.service, self.root = package("iceoryx2"), fresh(), folder()
        self.module.set_log_level(self.module.LogLevel.Fatal)

    def open(self):
        module = self.module
        if self.node is None:
            config = module.config.default()
            config.global_cfg.prefix = module.FileName.new(MARK)
            config.global_cfg.root_path = module.Path.new(self.root)
            self.node = module.NodeBuilder.new().config(config).create(module.ServiceType.Ipc)
        builder = self.node.service_builder(module.ServiceName.new(self.service))
        builder = builder.publish_subscribe(module.Slice[ctypes.c_uint8])
        return builder.subscriber_max_buffer_size(AHEAD).enable_safe_overflow(False).open_or_create()

    def producer(self, fill):
        self.sends = port = self.open().publisher_builder().initial_max_slice_len(BYTES).create()

        def put():
            while True:
                try:
                    sample = port.loan_slice_uninit(BYTES)
                    break
                except self.module.LoanError:
                    os.sched_yield()
            fill(np.frombuffer(sample.payload().as_memory_view(), KIND))
            sample.assume_init().send()

        return put

    def consumer(self, use):
        self.receives = self.open().subscriber_builder().create()
        receive = self.receives.receive

        def get():
            while (sample := receive()) is None:
                os.sched_yield()
            use(np.frombuffer(sample.payload().as_memory_view(), KIND))
            sample.delete()

        return get


class PySharedMemory(Peer):
    name, note = "py-sharedmemory", "copies on both sides"

    def __init__(self):
        self.sender, self.receiver = package("py_sharedmemory").create_shared_memory_pair(capacity=AHEAD)

    def producer(self, fill):
        array, send = np.zeros(ITEMS, KIND), self.sender.put

        def put():
            fill(array)
            send(array)

        return put

    def consumer(self, use):
        receive = self.receiver.get
        return lambda: use(receive())


class Zerochannel(Peer):
    name, note = "zerochannel", "loses arrays when its reader is slow"

    def __init__(self):
        self.module, self.channel = package("zerochannel"), "/" + fresh()
        self.writer = self.module.BytesWriter(self.channel, entry_length=BYTES, entry_count=AHEAD)

    def producer(self, fill):
        acquire = self.writer.try_acquire

        def put():
            while (handle := acquire()) is None:
                os.sched_yield()
            fill(np.frombuffer(handle.payload, KIND))
            handle.commit()

        return put

    def consumer(self, use):
        acquire = self.module.BytesReader(self.channel, enable_zero_copy=True).try_acquire

        def get():
            while (handle := acquire()) is None:
                os.sched_yield()
            use(np.frombuffer(handle.payload, KIND))
            handle.release()

        return get

    def close(self):
        self.module.unlink(self.channel)


PEERS = [Ours, Looking, OurQueue, Kickmsg, Iceoryx2, PySharedMemory, Zerochannel]
