# fails: edges B4
import asyncio


class Batcher:
    """No task while nothing is to do: a timer for the oldest request, and a task for the batch that runs."""

    def __init__(self, run, max_size, max_wait):
        self.run = run
        self.max_size = max_size
        self.max_wait = max_wait
        self.loop = asyncio.get_running_loop()
        self.waiting = []
        self.running = None
        self.closed = False

    async def ask(self, request):
        if self.closed:
            raise RuntimeError("the batcher is closed")
        future = self.loop.create_future()
        self.waiting.append((request, future, self.loop.time()))
        self.loop.call_at(self.loop.time() + self.max_wait, self.look)
        self.look()
        return await future

    def look(self):
        """Begins the next batch if it is due and none runs."""
        self.waiting = [entry for entry in self.waiting if not entry[1].done()]
        if self.running is not None or not self.waiting:
            return
        due = self.waiting[0][2] + self.max_wait
        if self.closed or len(self.waiting) >= self.max_size or self.loop.time() >= due:
            batch, self.waiting = self.waiting[: self.max_size], self.waiting[self.max_size :]
            self.running = asyncio.create_task(self.serve(batch))

    async def serve(self, batch):
        try:
            answers = await self.run([request for request, _, _ in batch])
            if len(answers) < len(batch):
                raise RuntimeError(f"{len(answers)} answers to {len(batch)} requests")
        except Exception as error:
            answers = [error] * len(batch)
        for (_, future, _), answer in zip(batch, answers):
            if not future.done():
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        self.running = None
        self.look()

    async def close(self):
        self.closed = True
        self.look()
        while self.running is not None:
            await asyncio.wait([self.running])
