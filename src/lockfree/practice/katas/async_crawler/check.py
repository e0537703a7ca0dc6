"""What the judge runs. A text in brackets names the diagnosis."""

import asyncio
import time


class Web:
    """Pages with links, and a record of who fetches what at the same time. slow: hosts that need 20 s."""

    def __init__(self, links, broken=(), slow=()):
        self.links = links
        self.broken = broken
        self.slow = slow
        self.fetched = []
        self.done = {}
        self.under_way = []
        self.most = {}
        self.most_in_all = 0

    async def fetch(self, page):
        host = page.partition("/")[0]
        self.fetched.append(page)
        self.under_way.append(host)
        self.most[host] = max(self.most.get(host, 0), self.under_way.count(host))
        self.most_in_all = max(self.most_in_all, len(self.under_way))
        try:
            await asyncio.sleep(20 if host in self.slow or page in self.slow else 1)
        finally:
            self.under_way.remove(host)
        self.done[page] = time.monotonic()
        if page in self.broken:
            raise LookupError(f"no such page: {page}")
        return list(self.links[page])

    def check(self, found, workers, per_host):
        twice = {page for page in self.fetched if self.fetched.count(page) > 1}
        assert not twice, f"[A3] fetched twice: {sorted(twice)}"
        assert found is not None, "[A7] crawl returns the set of pages"
        assert not self.under_way, "[A2] a fetch is still under way"
        left = set(self.links) - set(found)
        assert not left, f"[A2] left out: {sorted(left)}"
        assert set(found) == set(self.links), f"[A7] made up: {sorted(set(found) - set(self.links))}"
        assert set(self.fetched) == set(self.links), f"[A2] never fetched: {sorted(set(self.links) - set(self.fetched))}"
        assert max(self.most.values()) <= per_host, f"[A6] fetches of one host at the same time: {self.most}"
        assert self.most_in_all <= workers, f"[A6] {self.most_in_all} fetches at the same time"


CHAIN = {"a/1": ["b/1"], "b/1": ["c/1"], "c/1": []}
DIAMOND = {"a/1": ["b/1", "c/1"], "b/1": ["d/1"], "c/1": ["d/1"], "d/1": ["a/1"]}
ONE_HOST = {"a/1": ["a/2", "a/3"], "a/2": [], "a/3": []}
WIDE = {"a/1": ["b/1", "c/1", "d/1"], "b/1": [], "c/1": [], "d/1": []}
ROOM = {"a/1": ["a/2", "a/3", "a/4", "a/5"], "a/2": [], "a/3": [], "a/4": [], "a/5": []}
SLOW = {"a/1": ["s/1", "s/2", "b/1", "b/2"], "s/1": [], "s/2": [], "b/1": [], "b/2": []}


def nobody_is_left():
    left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left, f"[A4] tasks are left behind: {left}"


async def run(answer, links, workers, per_host, **options):
    web = Web(links, **options)
    web.check(await answer.crawl("a/1", web.fetch, workers, per_host), workers, per_host)
    nobody_is_left()
    return web


async def edges_one_worker(answer):
    await run(answer, DIAMOND, 1, 1)


async def edges_one_page(answer):
    await run(answer, {"a/1": ["a/1"]}, 3, 1)


async def edges_broken_page(answer):
    await run(answer, {"a/1": ["a/2", "a/3"], "a/2": [], "a/3": []}, 2, 1, broken=("a/2",))


async def edges_workers_work_together(answer):
    began = time.monotonic()
    await run(answer, WIDE, 3, 1)
    took = time.monotonic() - began
    assert took < 3, f"[A2] 3 workers took {took:g} s for what needs 2 s: somebody stops too early, or waits for others"


async def edges_slow_host(answer):
    web = await run(answer, SLOW, 2, 1, slow=("s",))
    last = max(web.done["b/1"], web.done["b/2"])
    assert last < 20, f"[A8] the pages of host b are there after {last:g} s: they waited for the slow host"


async def edges_room_of_a_host(answer):
    """Two fetches of one host may be under way. One of them takes 20 s; the others take turns meanwhile."""
    web = await run(answer, ROOM, 2, 2, slow=("a/2",))
    last = max(at for page, at in web.done.items() if page != "a/2")
    assert last < 20, f"[A8] the quick pages of the host are there after {last:g} s: a worker and a place were free"


async def schedules_chain(answer):
    await run(answer, CHAIN, 2, 1)


async def schedules_diamond(answer):
    await run(answer, DIAMOND, 2, 1)


async def schedules_one_host(answer):
    await run(answer, ONE_HOST, 3, 1)


async def schedules_few_workers(answer):
    await run(answer, WIDE, 2, 2)


async def schedules_broken_page(answer):
    await run(answer, ONE_HOST, 2, 1, broken=("a/2",))


async def cancelled(answer, links, after):
    web = Web(links)
    crawl = asyncio.create_task(answer.crawl("a/1", web.fetch, 2, 1), name="crawl")
    await asyncio.sleep(after)
    begun = len(web.fetched)
    crawl.cancel()
    await asyncio.wait([crawl], timeout=30)
    assert crawl.done(), "[A4] crawl() goes on 30 s after its cancellation"
    assert crawl.cancelled(), "[A4] crawl() was cancelled, and does not raise CancelledError"
    assert len(web.fetched) <= begun, f"[A4] begun after the cancellation: {web.fetched[begun:]}"
    assert not web.under_way, "[A4] a fetch goes on after the cancellation"
    nobody_is_left()


async def schedules_cancelled_in_a_fetch(answer):
    await cancelled(answer, WIDE, 1.5)


async def schedules_cancelled_while_one_waits(answer):
    await cancelled(answer, ONE_HOST, 1.5)
