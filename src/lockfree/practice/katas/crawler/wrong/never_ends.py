# fails: edges W1
import queue
import threading


def crawl(start, fetch, workers, per_host):
    pages, seen, lock = queue.Queue(), {start}, threading.Lock()
    rooms = {}
    pages.put(start)

    def work():
        while True:
            page = pages.get()
            with lock:
                room = rooms.setdefault(page.partition("/")[0], threading.Semaphore(per_host))
            with room:
                try:
                    links = fetch(page)
                except Exception:
                    links = []
            for link in links:
                with lock:
                    if link in seen:
                        continue
                    seen.add(link)
                pages.put(link)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen
