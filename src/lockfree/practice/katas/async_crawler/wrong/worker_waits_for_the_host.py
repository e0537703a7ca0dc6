# fails: edges A8
import asyncio
import collections


async def crawl(start, fetch, workers, per_host):
    room = asyncio.Semaphore(workers)
    hosts = collections.defaultdict(lambda: asyncio.Semaphore(per_host))
    seen = {start}

    async def visit(page):
        async with room, hosts[page.partition("/")[0]]:
            try:
                links = await fetch(page)
            except Exception:
                return
        for link in links:
            if link not in seen:
                seen.add(link)
                group.create_task(visit(link))

    async with asyncio.TaskGroup() as group:
        group.create_task(visit(start))
    return seen
