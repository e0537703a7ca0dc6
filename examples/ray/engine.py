"""Inside one node: worker processes, a ring to them, and a ring back. Nothing here knows of other nodes, or of Ray."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import multiprocessing
import multiprocessing.connection
import os
import struct
import threading
from typing import TYPE_CHECKING, Any

import lockfree

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER = struct.Struct("<Q")
LONGEST = 256
"""Bytes of a prompt, at most."""
CAPACITY = 64
"""Requests that wait for a worker, at most. A request that comes when there are as many waits."""
PROCESSES = multiprocessing.get_context("forkserver")
"""Imports Ray once for an engine, and not once for each worker: a killed one is replaced within milliseconds."""


def answer(prompt: bytes) -> bytes:
    """Stands for a model: it takes about a millisecond, and says the same on every node."""
    return hashlib.pbkdf2_hmac("sha256", prompt, b"lockfree", 2000)


def work(requests: lockfree.MPMCRing[bytes], answers: lockfree.MPMCRing[bytes]) -> None:
    """A worker. A request is leased until its answer is in the ring: if the worker is killed, another one gets it."""
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    while True:
        with requests.lease() as record:
            number, prompt = record[: NUMBER.size], record[NUMBER.size :]
            answers.put(number + answer(prompt))


def _end_with_the_engine() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)  # from anywhere: the rings do not mind


class Engine:
    """What a node runs. All calls are made in one event loop."""

    def __init__(self, workers: int, target: Callable[..., None] = work) -> None:
        self.target = target
        self.requests = lockfree.MPMCRing[bytes](CAPACITY, NUMBER.size + LONGEST)
        self.answers = lockfree.MPMCRing[bytes](CAPACITY, NUMBER.size + hashlib.sha256().digest_size)
        self.waiting: dict[int, asyncio.Future[bytes]] = {}
        self.numbers, self.replaced = itertools.count(), 0
        self.workers: list[Any] = []
        for _ in range(workers):
            self._start_worker()
        self.listening = asyncio.create_task(self._listen())

    async def ask(self, prompt: bytes) -> bytes:
        """The answer. ValueError for a prompt of more than LONGEST bytes."""
        if len(prompt) > LONGEST:
            raise ValueError(f"the prompt has {len(prompt)} bytes: at most {LONGEST} are allowed")
        number = next(self.numbers)
        future = self.waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self.requests.aput(NUMBER.pack(number) + prompt)
            return await future
        finally:
            del self.waiting[number]

    async def close(self) -> None:
        self.listening.cancel()
        for process in self.workers:
            asyncio.get_running_loop().remove_reader(process.sentinel)
            process.kill()
            process.join()

    async def _listen(self) -> None:
        while True:
            record = await self.answers.aget()
            future = self.waiting.get(*NUMBER.unpack_from(record))
            if future is not None and not future.done():  # else: asked by a client that left, or answered twice
                future.set_result(record[NUMBER.size :])

    def _start_worker(self) -> None:
        process = PROCESSES.Process(target=self.target, args=(self.requests, self.answers), daemon=True)
        process.start()
        self.workers.append(process)
        asyncio.get_running_loop().add_reader(process.sentinel, self._replace, process)

    def _replace(self, process: Any) -> None:
        """Called when a worker has died. What it had leased is in the ring again."""
        asyncio.get_running_loop().remove_reader(process.sentinel)
        process.join()
        self.workers.remove(process)
        self.replaced += 1
        self._start_worker()
