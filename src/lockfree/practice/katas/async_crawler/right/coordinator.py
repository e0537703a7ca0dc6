import asyncio


async def crawl(start, fetch, workers, per_host):
    seen, waiting, running, tasks = {start}, [start], {}, {}
    try:
        while waiting or tasks:
            for page in list(waiting):
                host = page.partition("/")[0]
                if len(tasks) < workers and running.get(host, 0) < per_host:
                    waiting.remove(page)
                    running[host] = running.get(host, 0) + 1
                    tasks[asyncio.create_task(fetch(page))] = host
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                running[tasks.pop(task)] -= 1
                if task.exception() is None:
                    for link in task.result():
                        if link not in seen:
                            seen.add(link)
                            waiting.append(link)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return seen
