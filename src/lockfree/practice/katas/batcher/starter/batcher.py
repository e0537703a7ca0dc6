import asyncio


class Batcher:
    def __init__(self, run, max_size, max_wait):
        self.run = run
        self.max_size = max_size
        self.max_wait = max_wait

    async def ask(self, request):
        raise NotImplementedError

    async def close(self):
        raise NotImplementedError
