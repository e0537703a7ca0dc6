# fails: edges W2
import threading
from collections import defaultdict, deque
from queue import SimpleQueue


def crawl(start, fetch, workers, per_host):
    jobs, results = SimpleQueue(), SimpleQueue()

    def work():
        while (page := jobs.get()) is not None:
            try:
                links = list(fetch(page))
            except Exception:
                links = []
            results.put((page, links))

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    seen, waiting, busy = {start}, {}, defaultdict(int)
    waiting[start.split("/")[0]] = deque([start])
    under_way = 0
    while waiting:
        for host in list(waiting):
            line = waiting[host]
            while line and under_way < workers and busy[host] < per_host:
                jobs.put(line.popleft())
                busy[host] += 1
                under_way += 1
            if not line:
                del waiting[host]
        page, links = results.get()
        under_way -= 1
        busy[page.split("/")[0]] -= 1
        for link in links:
            if link not in seen:
                seen.add(link)
                waiting.setdefault(link.split("/")[0], deque()).append(link)
    for _ in threads:
        jobs.put(None)
    for thread in threads:
        thread.join()
    return seen
