import asyncio


class Batcher:
    """A task takes the first request from a queue, and then more until the batch is full or the time is up."""

    def __init__(self, run, max_size, max_wait):
        self.run = run
        self.max_size = max_size
        self.max_wait = max_wait
        self.queue = asyncio.Queue()
        self.closed = False
        self.task = asyncio.create_task(self.work())

    async def ask(self, request):
        if self.closed:
            raise RuntimeError("the batcher is closed")
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self.queue.put_nowait((request, future, loop.time() + self.max_wait))
        return await future

    async def work(self):
        over = False
        while not over:
            batch = []
            while len(batch) < self.max_size and not over:
                try:
                    async with asyncio.timeout_at(batch[0][2] if batch else None):
                        entry = await self.queue.get()
                except TimeoutError:
                    break
                if entry is None:
                    over = True
                else:
                    batch.append(entry)
                batch = [entry for entry in batch if not entry[1].done()]
            batch = [entry for entry in batch if not entry[1].done()]
            if batch:
                await self.serve(batch)

    async def serve(self, batch):
        try:
            answers = await self.run([request for request, _, _ in batch])
            if len(answers) != len(batch):
                raise RuntimeError(f"{len(answers)} answers to {len(batch)} requests")
        except Exception as error:
            answers = [error] * len(batch)
        for (_, future, _), answer in zip(batch, answers):
            if not future.done():
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    async def close(self):
        if not self.closed:
            self.closed = True
            self.queue.put_nowait(None)
        await asyncio.wait([self.task])
