import queue
import threading


def crawl(start, fetch, workers, per_host):
    lock = threading.Lock()
    pages = queue.Queue()
    seen, running, parked = {start}, {}, {}
    pages.put(start)

    def offer(page):
        """With the lock: hands a page to the workers, or parks it while its host is busy."""
        host = page.partition("/")[0]
        if running.get(host, 0) < per_host:
            running[host] = running.get(host, 0) + 1
            pages.put(page)
        else:
            parked.setdefault(host, []).append(page)

    running[start.partition("/")[0]] = 1

    def work():
        while (page := pages.get()) is not None:
            try:
                links = fetch(page)
            except Exception:
                links = []
            host = page.partition("/")[0]
            with lock:
                running[host] -= 1
                for link in links:
                    if link not in seen:
                        seen.add(link)
                        offer(link)
                if parked.get(host):
                    offer(parked[host].pop())
            pages.task_done()

    threads = [threading.Thread(target=work, name=f"worker {number}") for number in range(workers)]
    for thread in threads:
        thread.start()
    pages.join()
    for _ in threads:
        pages.put(None)
    for thread in threads:
        thread.join()
    return seen
