import asyncio


async def crawl(start, fetch, workers, per_host):
    raise NotImplementedError
