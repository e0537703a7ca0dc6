import threading


def crawl(start, fetch, workers, per_host):
    changed = threading.Condition()
    seen, waiting, busy, hosts = {start}, [start], 0, {}

    def free():
        """A page whose host has room; None if there is none now."""
        for page in waiting:
            if hosts.get(page.partition("/")[0], 0) < per_host:
                return page
        return None

    def work():
        nonlocal busy
        while True:
            with changed:
                while (page := free()) is None:
                    if not waiting and not busy:
                        return
                    changed.wait()
                waiting.remove(page)
                busy += 1
                host = page.partition("/")[0]
                hosts[host] = hosts.get(host, 0) + 1
            links = []
            try:
                links = fetch(page)
            except Exception:
                pass
            finally:
                with changed:
                    busy -= 1
                    hosts[host] -= 1
                    for link in links:
                        if link not in seen:
                            seen.add(link)
                            waiting.append(link)
                    changed.notify_all()

    threads = [threading.Thread(target=work, name=f"worker {number}") for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen
