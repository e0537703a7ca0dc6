# fails: edges W7
"""A page that waits for its host goes when nobody fetches from it any more, not when there is room."""
"""One thread for each host slot and a count of pages under way; a semaphore bounds the workers."""
import collections
import threading


def crawl(start, fetch, workers, per_host):
    lock = threading.Lock()
    idle = threading.Condition(lock)
    seen = {start}
    waiting = collections.defaultdict(collections.deque)
    busy = collections.Counter()
    ready = collections.deque()
    open_pages = 1

    def offer(page):
        host = page.partition("/")[0]
        if busy[host] < per_host:
            busy[host] += 1
            ready.append(page)
            idle.notify()
        else:
            waiting[host].append(page)

    def work():
        nonlocal open_pages
        while True:
            with lock:
                while not ready:
                    if open_pages == 0:
                        return
                    idle.wait()
                page = ready.popleft()
            try:
                links = list(fetch(page))
            except Exception:
                links = []
            host = page.partition("/")[0]
            with lock:
                busy[host] -= 1
                for link in links:
                    if link not in seen:
                        seen.add(link)
                        open_pages += 1
                        offer(link)
                if waiting[host] and busy[host] == 0:
                    offer(waiting[host].popleft())
                open_pages -= 1
                if open_pages == 0:
                    idle.notify_all()

    with lock:
        offer(start)
    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen
