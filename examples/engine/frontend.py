"""A front end: an asyncio server's inside. Each request is a task; one thread takes all tokens out of the stream.

Answers are appended to a file, a line each. So if a front end is killed, its successor knows what is left to ask. It
removes what there is of a last line without an end.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import messages
import traffic
from messages import CANCELLED, GOES_ON

if TYPE_CHECKING:
    from pathlib import Path


class Client:
    """One request's life: asked, answered token by token, perhaps cancelled."""

    def __init__(self, request: traffic.Request) -> None:
        self.request, self.answer = request, dict[int, int]()
        self.asked = self.first = 0.0
        self.asked_to_cancel = False
        self.ended = asyncio.Event()
        self.how, self.length = GOES_ON, -1

    def take(self, index: int, token: int, last: int) -> None:
        if self.ended.is_set():
            return  # told twice, after a front end was replaced
        if token >= 0:
            self.first = self.first or time.monotonic()
            self.answer[index] = token
        if last != GOES_ON:
            self.how, self.length = last, index + (token >= 0)
        if self.how == CANCELLED or len(self.answer) == self.length:
            self.ended.set()

    @property
    def tokens(self) -> list[int]:
        """The answer up to the first token that did not come. If the cancellation by a dead front end overtakes the
        question of its successor, this one lacks the tokens that only the dead one was told."""
        return [token for i, (at, token) in enumerate(sorted(self.answer.items())) if i == at]


class FrontEnd:
    def __init__(self, transport: Any, number: int, answers: Path, rate: float) -> None:
        self.transport, self.number, self.rate = transport, number, rate
        self.clients: dict[int, Client] = {}
        self.file = os.open(answers, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.over = False

    async def serve(self, requests: list[traffic.Request]) -> None:
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._listen, args=(loop,))
        thread.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for request in requests:
                    if self.rate:
                        await asyncio.sleep(request.gap / self.rate)
                    await self._submit(request)
                    tasks.create_task(self._follow(self.clients[request.number]))
        finally:
            self.over = True
            thread.join()

    async def _submit(self, request: traffic.Request) -> None:
        client = self.clients[request.number] = Client(request)
        client.asked, order = time.monotonic(), messages.pack_request(request)
        while not await asyncio.to_thread(self.transport.submit, request.level, order, 0.5):
            pass  # the queue is full: back-pressure
        if request.cancel_after == 0:
            self._cancel(client)

    async def _follow(self, client: Client) -> None:
        await client.ended.wait()
        number, how = client.request.number, client.how
        del self.clients[number]
        tokens = client.tokens
        waited = client.first - client.asked if client.first else None
        total = time.monotonic() - client.asked
        line = json.dumps({"number": number, "how": how, "tokens": tokens, "first": waited, "total": total})
        os.write(self.file, line.encode() + b"\n")  # a kill may cut it, at the end of a page of the file

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self.over:
            rows = self.transport.tokens(self.number, 0.1)
            if len(rows):
                loop.call_soon_threadsafe(self._dispatch, rows.tolist())

    def _dispatch(self, rows: list[tuple[int, int, int, int]]) -> None:
        for number, index, token, last in rows:
            client = self.clients.get(number)
            if client is None:
                continue
            client.take(index, token, last)
            if 0 <= client.request.cancel_after <= len(client.answer):
                self._cancel(client)

    def _cancel(self, client: Client) -> None:
        if not client.asked_to_cancel and not client.ended.is_set():
            client.asked_to_cancel = True
            self.transport.cancel(client.request.number)


def answered(path: Path) -> dict[int, dict[str, Any]]:
    """What is in a file of answers, by request."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return {answer["number"]: answer for answer in map(json.loads, lines)}


def cut_off(path: Path) -> None:
    """Removes a line that a killed front end did not end: the next one would be appended to it."""
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


class Share(NamedTuple):
    """What one front end asks: of `requests` in all, each `frontends`-th, at `rate` a second (0: at once)."""

    number: int
    requests: int
    frontends: int
    rate: float
    seed: int
    short: int


def run(transport: Any, share: Share, answers: Path) -> None:
    """Asks what is not answered yet."""
    cut_off(answers)
    numbers = set(range(share.number, share.requests, share.frontends)) - set(answered(answers))
    mine = [traffic.request(share.seed, number, share.frontends, share.short) for number in sorted(numbers)]
    asyncio.run(FrontEnd(transport, share.number, answers, share.rate).serve(mine))
