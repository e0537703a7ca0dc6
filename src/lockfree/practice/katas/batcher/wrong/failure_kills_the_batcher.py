# fails: edges B4
import asyncio


class Batcher:
    """One task that lives from the first request to the end, and an event that tells it of changes."""

    def __init__(self, run, max_size, max_wait):
        self.run = run
        self.max_size = max_size
        self.max_wait = max_wait
        self.waiting = []
        self.changed = asyncio.Event()
        self.closed = False
        self.task = asyncio.create_task(self.work())

    async def ask(self, request):
        if self.closed:
            raise RuntimeError("the batcher is closed")
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self.waiting.append((loop.time(), request, future))
        self.changed.set()
        return await future

    async def work(self):
        loop = asyncio.get_running_loop()
        while True:
            self.changed.clear()
            self.waiting = [entry for entry in self.waiting if not entry[2].done()]
            if self.closed and not self.waiting:
                return
            due = self.waiting[0][0] + self.max_wait if self.waiting else None
            if self.closed or len(self.waiting) >= self.max_size or (due is not None and loop.time() >= due):
                batch, self.waiting = self.waiting[: self.max_size], self.waiting[self.max_size :]
                await self.serve(batch)
                continue
            try:
                async with asyncio.timeout_at(due):
                    await self.changed.wait()
            except TimeoutError:
                pass

    async def serve(self, batch):
        try:
            answers = await self.run([request for _, request, _ in batch])
            if len(answers) != len(batch):
                raise RuntimeError(f"{len(answers)} answers to {len(batch)} requests")
        except LookupError as error:
            answers = [error] * len(batch)
        for (_, _, future), answer in zip(batch, answers):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def close(self):
        self.closed = True
        self.changed.set()
        await asyncio.wait([self.task])
