"""What producers and consumers do in the transfer benchmarks of the rings."""

import numpy as np

RECORD = b"x" * 64


def put_singly(ring, count):
    put = ring.put
    for _ in range(count):
        put(RECORD)


def get_singly(ring, count):
    get = ring.get
    for _ in range(count):
        get()


def put_in_batches(ring, count, batch=64):
    rows = np.full((batch, 64), 7, "u1")
    sent = 0
    while sent < count:
        wanted = min(batch, count - sent)
        done = ring.put_many(rows[:wanted])
        if done == 0:
            ring.put(RECORD)  # full: wait for room, asleep if need be
            done = 1
        sent += done


def get_in_batches(ring, count, batch=64):
    rows = np.empty((batch, 64), "u1")
    got = 0
    while got < count:
        done = ring.get_into(rows[: min(batch, count - got)])
        if done == 0:
            ring.get()  # empty: wait
            done = 1
        got += done


def queue_put(queue, count):
    for _ in range(count):
        queue.put(RECORD)


def queue_get(queue, count):
    for _ in range(count):
        queue.get()
