import asyncio


async def crawl(start, fetch, workers, per_host):
    changed = asyncio.Condition()
    seen, waiting, busy, hosts = {start}, [start], 0, {}

    def free():
        """A page whose host has room; None if there is none now."""
        for page in waiting:
            if hosts.get(page.partition("/")[0], 0) < per_host:
                return page
        return None

    async def work():
        nonlocal busy
        while True:
            async with changed:
                while (page := free()) is None:
                    if not waiting and not busy:
                        return
                    await changed.wait()
                waiting.remove(page)
                host = page.partition("/")[0]
                hosts[host] = hosts.get(host, 0) + 1
                busy += 1
            try:
                links = await fetch(page)
            except Exception:
                links = []
            async with changed:
                busy -= 1
                hosts[host] -= 1
                for link in links:
                    if link not in seen:
                        seen.add(link)
                        waiting.append(link)
                changed.notify_all()

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    return seen
