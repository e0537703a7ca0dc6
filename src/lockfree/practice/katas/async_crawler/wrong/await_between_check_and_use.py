# fails: edges A3
import asyncio
import collections


async def crawl(start, fetch, workers, per_host):
    room = asyncio.Semaphore(workers)
    hosts = collections.defaultdict(lambda: asyncio.Semaphore(per_host))
    seen = set()

    async def visit(page):
        if page in seen:
            return
        async with hosts[page.partition("/")[0]], room:
            seen.add(page)
            try:
                links = await fetch(page)
            except Exception:
                return
        for link in links:
            group.create_task(visit(link))

    async with asyncio.TaskGroup() as group:
        group.create_task(visit(start))
    return seen
