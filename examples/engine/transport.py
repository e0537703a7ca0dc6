"""How requests, steps and tokens travel: three ways behind one face, chosen by a flag.

    front ends  --submit, cancel-->  scheduler  --broadcast-->  workers
    front ends  <------tokens------  scheduler  <---outcomes--  workers

Every method that waits takes seconds, and returns nothing when they are over. `ended()` is true in every process once
`end()` was called in one.
"""

from __future__ import annotations

import heapq
import multiprocessing
import queue
from contextlib import suppress
from typing import Any

import numpy as np
from messages import ORDER_BYTES, OUTCOME, TOKEN
from traffic import LEVELS

import lockfree

Array = Any
REQUESTS = 512
"""How many requests wait at most: then front ends wait."""
BATCH = 4096
NONE = np.empty(0)


class Lockfree:
    """One primitive for each arrow. Their death contracts do the rest: nothing here knows that processes are killed."""

    def __init__(self, frontends: int, workers: int) -> None:
        self.requests = lockfree.PriorityQueue[bytes](REQUESTS, ORDER_BYTES, LEVELS)
        self.cancels = lockfree.MPMCRing(1024, dtype="u4")
        self.steps = lockfree.BroadcastRing(1 << 22, workers)
        self.outcomes = lockfree.MPMCRing(4096, dtype=OUTCOME)
        self.streams = [lockfree.SPSCRing(4096, dtype=TOKEN) for _ in range(frontends)]
        self.over = lockfree.Event()

    def submit(self, level: int, order: bytes, seconds: float) -> bool:
        try:
            self.requests.put(order, level, timeout=seconds)
        except queue.Full:
            return False
        return True

    def cancel(self, number: int) -> None:
        self.cancels.put(number)

    def tokens(self, frontend: int, seconds: float) -> Array:
        with suppress(queue.Empty):
            return self.streams[frontend].get_many(BATCH, block=True, timeout=seconds, as_array=True)
        return NONE

    def next_request(self, seconds: float) -> bytes | None:
        try:
            return self.requests.get(timeout=seconds)[1] if seconds else (self.requests.try_get() or (0, None))[1]
        except queue.Empty:
            return None

    def cancelled(self) -> list[int]:
        return [int(number) for number in self.cancels.get_many(BATCH)]

    def broadcast(self, step: bytes, ranks: list[int]) -> None:
        self.steps.put(step, to=ranks)

    def results(self, seconds: float) -> Array:
        with suppress(queue.Empty):
            return self.outcomes.get_many(BATCH, block=True, timeout=seconds, as_array=True)
        return NONE

    def stream(self, frontend: int, tokens: Array) -> int:
        return self.streams[frontend].put_many(tokens)

    def join(self, rank: int) -> None:
        self.steps.join(rank)

    def next_step(self, rank: int, seconds: float) -> bytes | None:  # noqa: ARG002
        with suppress(queue.Empty):
            return self.steps.get(timeout=seconds)
        return None

    def report(self, outcomes: Array) -> None:
        done = 0
        while done < len(outcomes):
            done += self.outcomes.put_many(outcomes[done:], block=True)

    def end(self) -> None:
        self.over.set()

    def ended(self) -> bool:
        return self.over.is_set()


class FirstComeFirstServed:
    """What transports share whose arrows know no priorities: the scheduler sorts the requests that have come."""

    def __init__(self) -> None:
        self.over = multiprocessing.get_context("spawn").Event()
        self.heap: list[tuple[int, int, bytes]] = []
        self.taken = 0

    def _arrived(self, seconds: float) -> tuple[int, bytes] | None:
        """The oldest request that is not in the heap yet: (level, order)."""
        raise NotImplementedError

    def next_request(self, seconds: float) -> bytes | None:
        while (arrived := self._arrived(0 if self.heap else seconds)) is not None:
            level, order = arrived
            heapq.heappush(self.heap, (level, self.taken, order))
            self.taken += 1
        return heapq.heappop(self.heap)[2] if self.heap else None

    def end(self) -> None:
        self.over.set()

    def ended(self) -> bool:
        return self.over.is_set()


class Multiprocessing(FirstComeFirstServed):
    """The standard library's queues. A process that is killed inside of one may stop all others for ever."""

    def __init__(self, frontends: int, workers: int) -> None:
        super().__init__()
        context = multiprocessing.get_context("spawn")
        self.requests = context.Queue(REQUESTS)
        self.cancels = context.Queue()
        self.steps = [context.Queue() for _ in range(workers)]
        self.outcomes = context.Queue()
        self.streams = [context.Queue() for _ in range(frontends)]

    def submit(self, level: int, order: bytes, seconds: float) -> bool:
        try:
            self.requests.put((level, order), timeout=seconds)
        except queue.Full:
            return False
        return True

    def cancel(self, number: int) -> None:
        self.cancels.put(number)

    def tokens(self, frontend: int, seconds: float) -> Array:
        return self._batch(self.streams[frontend], seconds, TOKEN)

    def _arrived(self, seconds: float) -> tuple[int, bytes] | None:
        with suppress(queue.Empty):
            return self.requests.get(timeout=seconds)  # type: ignore[no-any-return]
        return None

    def cancelled(self) -> list[int]:
        found: list[int] = []
        with suppress(queue.Empty):
            while True:
                found.append(self.cancels.get_nowait())
        return found

    def broadcast(self, step: bytes, ranks: list[int]) -> None:
        for rank in ranks:
            self.steps[rank].put(step)

    def results(self, seconds: float) -> Array:
        return self._batch(self.outcomes, seconds, OUTCOME)

    def stream(self, frontend: int, tokens: Array) -> int:
        self.streams[frontend].put(tokens.tobytes())
        return len(tokens)

    def join(self, rank: int) -> None: ...

    def next_step(self, rank: int, seconds: float) -> bytes | None:
        with suppress(queue.Empty):
            return self.steps[rank].get(timeout=seconds)  # type: ignore[no-any-return]
        return None

    def report(self, outcomes: Array) -> None:
        self.outcomes.put(outcomes.tobytes())

    @staticmethod
    def _batch(channel: Any, seconds: float, dtype: Any) -> Array:
        with suppress(queue.Empty):
            return np.frombuffer(channel.get(timeout=seconds), dtype)
        return NONE


class Zmq(FirstComeFirstServed):
    """PUSH and PULL of ZeroMQ, one pair of sockets for each arrow. What a killed process had in its buffers is gone."""

    def __init__(self, frontends: int, workers: int) -> None:
        import tempfile

        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="engine-")
        self.counts = frontends, workers
        self.sockets: dict[tuple[str, str], Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "sockets": {}}

    def _socket(self, kind: str, name: str) -> Any:
        """The one end of an arrow in this process; the end that many share binds."""
        import zmq

        if (kind, name) not in self.sockets:
            socket = zmq.Context.instance().socket(zmq.PUSH if kind == "push" else zmq.PULL)
            socket.set_hwm(REQUESTS)
            socket.linger = 0
            address = f"ipc://{self.folder}/{name}"
            if kind == "pull":
                socket.bind(address)
            else:
                socket.connect(address)
            self.sockets[kind, name] = socket
        return self.sockets[kind, name]

    def _get(self, name: str, seconds: float) -> bytes | None:
        socket = self._socket("pull", name)
        return socket.recv() if socket.poll(int(seconds * 1000)) else None

    def submit(self, level: int, order: bytes, seconds: float) -> bool:
        import zmq

        socket = self._socket("push", "requests")
        if not socket.poll(int(seconds * 1000), zmq.POLLOUT):
            return False
        socket.send(bytes([level]) + order)
        return True

    def cancel(self, number: int) -> None:
        self._socket("push", "cancels").send(number.to_bytes(4, "little"))

    def tokens(self, frontend: int, seconds: float) -> Array:
        data = self._get(f"stream-{frontend}", seconds)
        return NONE if data is None else np.frombuffer(data, TOKEN)

    def _arrived(self, seconds: float) -> tuple[int, bytes] | None:
        data = self._get("requests", seconds)
        return None if data is None else (data[0], data[1:])

    def cancelled(self) -> list[int]:
        found: list[int] = []
        while (data := self._get("cancels", 0)) is not None:
            found.append(int.from_bytes(data, "little"))
        return found

    def broadcast(self, step: bytes, ranks: list[int]) -> None:
        for rank in ranks:
            self._socket("push", f"steps-{rank}").send(step)

    def results(self, seconds: float) -> Array:
        data = self._get("outcomes", seconds)
        return NONE if data is None else np.frombuffer(data, OUTCOME)

    def stream(self, frontend: int, tokens: Array) -> int:
        self._socket("push", f"stream-{frontend}").send(tokens.tobytes())
        return len(tokens)

    def join(self, rank: int) -> None:
        self._socket("pull", f"steps-{rank}")

    def next_step(self, rank: int, seconds: float) -> bytes | None:
        return self._get(f"steps-{rank}", seconds)

    def report(self, outcomes: Array) -> None:
        self._socket("push", "outcomes").send(outcomes.tobytes())


TRANSPORTS = {"lockfree": Lockfree, "multiprocessing": Multiprocessing, "zmq": Zmq}
