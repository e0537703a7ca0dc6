"""What the judge runs. A text in brackets names the diagnosis."""

import threading
import time


class Web:
    """Pages with links, and a record of who fetches what at the same time."""

    def __init__(self, links, broken=(), slow=()):
        self.links = links
        self.broken = broken
        self.slow = slow
        self.done = {}
        self.lock = threading.Lock()
        self.fetched = []
        self.under_way = []
        self.most = {}

    def fetch(self, page):
        host = page.partition("/")[0]
        with self.lock:
            self.fetched.append(page)
            self.under_way.append(host)
            self.most[host] = max(self.most.get(host, 0), self.under_way.count(host))
        time.sleep(20 if host in self.slow or page in self.slow else 1)
        with self.lock:
            self.under_way.remove(host)
            self.done[page] = time.monotonic()
        if page in self.broken:
            raise LookupError(f"no such page: {page}")
        return list(self.links[page])

    def check(self, found, per_host, workers=None):
        twice = {page for page in self.fetched if self.fetched.count(page) > 1}
        assert not twice, f"[W3] fetched twice: {sorted(twice)}"
        assert found is not None, "[W6] crawl returns the set of pages"
        left = set(self.links) - set(found)
        assert not left, f"[W2] left out: {sorted(left)}"
        assert set(found) == set(self.links), f"[W6] made up: {sorted(set(found) - set(self.links))}"
        assert set(self.fetched) == set(self.links), f"[W2] never fetched: {sorted(set(self.links) - set(self.fetched))}"
        assert not self.under_way, "[W2] a fetch is still under way"
        assert max(self.most.values()) <= per_host, f"[W4] fetches at the same time: {self.most}"


CHAIN = {"a/1": ["b/1"], "b/1": ["c/1"], "c/1": []}
DIAMOND = {"a/1": ["b/1", "c/1"], "b/1": ["d/1"], "c/1": ["d/1"], "d/1": ["a/1"]}
LATE = {"a/1": ["b/1", "c/1"], "b/1": [], "c/1": ["d/1"], "d/1": []}
ONE_HOST = {"a/1": ["a/2", "a/3"], "a/2": [], "a/3": []}


SLOW = {"a/1": ["s/1", "s/2", "b/1", "b/2"], "s/1": [], "s/2": [], "b/1": [], "b/2": []}
ROOM = {"a/1": ["a/2", "a/3", "a/4", "a/5"], "a/2": [], "a/3": [], "a/4": [], "a/5": []}


def run(answer, links, workers, per_host, broken=(), slow=()):
    web = Web(links, broken, slow)
    before = threading.enumerate()
    web.check(answer.crawl("a/1", web.fetch, workers, per_host), per_host)
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    assert not left, f"[W2] crawl has returned, and there still runs: {', '.join(left)}"
    return web


def edges_one_worker(answer):
    run(answer, DIAMOND, 1, 1)


def edges_one_page(answer):
    run(answer, {"a/1": ["a/1"]}, 3, 1)


def edges_broken_page(answer):
    run(answer, DIAMOND, 1, 1, broken=("b/1", "c/1", "d/1")[:1])


def edges_workers_work_together(answer):
    began = time.monotonic()
    run(answer, {"a/1": ["b/1", "c/1", "d/1"], "b/1": [], "c/1": [], "d/1": []}, 3, 1)
    took = time.monotonic() - began
    assert took < 3, f"[W2] 3 workers took {took:g} s for what needs 2 s: somebody stops too early, or waits for others"


def edges_last_page_finds_more(answer):
    """Nothing waits any more, and the page that is under way links to another one."""
    run(answer, LATE, 2, 1, slow=("c",))


def edges_slow_host(answer):
    began = time.monotonic()
    web = run(answer, SLOW, 2, 1, slow=("s",))
    last = max(web.done["b/1"], web.done["b/2"]) - began
    assert last < 20, f"[W7] the pages of host b are there after {last:g} s: they waited for the slow host"


def edges_room_of_a_host(answer):
    """Two fetches of one host may be under way. One of them takes 20 s; the others take turns meanwhile."""
    began = time.monotonic()
    web = run(answer, ROOM, 2, 2, slow=("a/2",))
    last = max(at for page, at in web.done.items() if page != "a/2") - began
    assert last < 20, f"[W7] the quick pages of the host are there after {last:g} s: a worker and a place were free"


def schedules_chain(answer):
    run(answer, CHAIN, 2, 1)


def schedules_diamond(answer):
    run(answer, DIAMOND, 2, 1)


def schedules_last_page_finds_more(answer):
    run(answer, LATE, 2, 1)


def schedules_one_host(answer):
    run(answer, ONE_HOST, 2, 1)


def schedules_broken_page(answer):
    run(answer, ONE_HOST, 2, 1, broken=("a/2",))
