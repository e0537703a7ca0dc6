import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait


def crawl(start, fetch, workers, per_host):
    seen, ready, running, futures = {start}, [start], {}, {}
    with ThreadPoolExecutor(workers) as pool:
        while ready or futures:
            for page in list(ready):
                host = page.partition("/")[0]
                if running.get(host, 0) < per_host:
                    ready.remove(page)
                    running[host] = running.get(host, 0) + 1
                    futures[pool.submit(fetch, page)] = host
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                running[futures.pop(future)] -= 1
                if future.exception() is None:
                    for link in future.result():
                        if link not in seen:
                            seen.add(link)
                            ready.append(link)
    return seen
