"""What the judge runs. A text in brackets names the diagnosis."""

import threading


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def raises(error, call):
    try:
        call()
    except error:
        return True
    return False


def expect(got, wanted, says):
    assert got == wanted, f"{says}: {got!r} instead of {wanted!r}"


class Driver:
    """A scheduler, its requests, and what must hold after every call."""

    def __init__(self, answer, pages, page_size, max_batch):
        self.pages, self.page_size, self.max_batch = pages, page_size, max_batch
        self.scheduler = answer.Scheduler(pages, page_size, max_batch)
        self.requests = []

    def submit(self, prompt, most):
        number = self.scheduler.submit(prompt, most)
        expect(number, len(self.requests), "[C7] the number of a new request")
        self.requests.append((prompt, most))
        return number

    def living(self):
        states = [self.scheduler.state(number) for number in range(len(self.requests))]
        return [number for number, state in enumerate(states) if state in {"waiting", "running"}]

    def audit(self):
        s, used = self.scheduler, []
        running = [number for number in self.living() if s.state(number) == "running"]
        for number, (prompt, _) in enumerate(self.requests):
            table = list(s.table(number))
            if number not in running:
                expect(table, [], f"[C1] request {number} does not run ({s.state(number)}); its page table")
                continue
            need = -(-(prompt + s.made(number)) // self.page_size)
            expect(len(table), need, f"[C2] request {number} has {prompt} + {s.made(number)} tokens; number of its pages")
            used += table
        expect(len(set(used)), len(used), f"[C2] the page tables are {used}; number of different pages")
        assert set(used) <= set(range(self.pages)), f"[C2] pages that do not exist: {used}"
        expect(s.free() + len(used), self.pages, f"[C1] free pages and those in tables ({len(used)})")
        assert len(running) <= self.max_batch, f"[C2] {len(running)} requests run; max_batch is {self.max_batch}"
        older = [number for number in self.living() if number not in running and number < max(running, default=-1)]
        assert not older, f"[C3] {running} run, and these are older and wait: {older}"

    def step(self):
        """One step, against the rule: the oldest ones, as many as fit."""
        s, left, wanted = self.scheduler, self.pages, []
        before = {number: (s.made(number), list(s.table(number))) for number in self.living()}
        for number in self.living():
            need = -(-(self.requests[number][0] + s.made(number) + 1) // self.page_size)
            if len(wanted) == self.max_batch or need > left:
                break
            wanted.append(number)
            left -= need
        got = list(s.step())
        over = [number for number in got if number not in before]
        assert not over, f"[C4] step() returned {got}, and these are over: {over}"
        used = sum(len(s.table(number)) for number in range(len(self.requests)))
        assert s.free() + used >= self.pages, f"[C1] {s.free()} pages are free, {used} in tables, and there are {self.pages}"
        assert s.free() + used <= self.pages, f"[C2] {s.free()} pages are free, {used} in tables, and there are {self.pages}"
        for number, (made, _) in before.items():
            expect(s.made(number), made + (number in got), f"[C7] tokens of request {number} after a step")
        if wanted and wanted[0] not in got:
            raise AssertionError(f"[C3] the oldest request is {wanted[0]}, and step() returned {got}")
        more = [number for number in got if number not in wanted]
        assert not more, f"[C2] step() returned {got}; there is room for {wanted}"
        expect(got, wanted, "[C6] step()")
        for number in got:
            made, table = before[number]
            if s.state(number) == "running":
                expect(s.table(number)[: len(table)], table, f"[C2] pages of request {number} that must stay")
            expect(s.state(number) == "done", made + 1 == self.requests[number][1], f"[C7] request {number} is done")
        self.audit()
        return got

    def finish(self, most=60):
        for _ in range(most):
            if not self.living():
                break
            self.step()
        expect(self.living(), [], f"[C6] after {most} steps these are not done")
        expect(self.scheduler.free(), self.pages, "[C1] all is done; free pages")


def edges_one_request(answer):
    driver = Driver(answer, 4, 2, 2)
    expect(driver.scheduler.step(), [], "[C7] step() without requests")
    number = driver.submit(3, 3)
    expect(driver.scheduler.state(number), "waiting", "[C7] the state before the first step")
    expect(driver.step(), [0], "[C6] the first step")
    expect((driver.scheduler.state(number), driver.scheduler.free()), ("running", 2), "[C2] 4 tokens; state, free pages")
    driver.step()
    expect(driver.scheduler.free(), 1, "[C2] 5 tokens; free pages")
    driver.step()
    expect((driver.scheduler.state(number), driver.scheduler.free()), ("done", 4), "[C1] it is done; state, free pages")
    expect(driver.scheduler.step(), [], "[C7] step() after the end")


def edges_too_large(answer):
    scheduler = answer.Scheduler(4, 2, 2)
    assert raises(ValueError, lambda: scheduler.submit(5, 4)), "[C2] 9 tokens never fit into 4 pages of 2"
    for prompt, most in ((0, 1), (1, 0)):
        assert raises(ValueError, lambda: scheduler.submit(prompt, most)), f"[C7] submit({prompt}, {most}) is an error"
    expect(scheduler.submit(5, 3), 0, "[C2] 8 tokens fit")


def edges_batch(answer):
    driver = Driver(answer, 20, 2, 2)
    for most in (3, 1, 2, 1):
        driver.submit(1, most)
    expect(driver.step(), [0, 1], "[C2] max_batch is 2")
    expect(driver.step(), [0, 2], "[C6] 1 is done, so 2 runs with 0, which is in the middle")
    driver.finish()


def edges_pages_decide(answer):
    driver = Driver(answer, 4, 2, 8)
    driver.submit(4, 2)
    driver.submit(3, 1)
    driver.submit(1, 1)
    expect(driver.step(), [0], "[C2] 3 pages for request 0, 1 is left; request 1 needs 2, and 2 is younger")
    driver.finish()


def edges_preemption(answer):
    driver = Driver(answer, 4, 2, 4)
    driver.submit(2, 6)
    driver.submit(1, 6)
    driver.submit(1, 2)
    driver.finish()
    expect(driver.scheduler.made(1), 6, "[C7] tokens of the one that was preempted")


def edges_two_are_preempted(answer):
    driver = Driver(answer, 6, 1, 4)
    for prompt, most in ((1, 5), (1, 4), (1, 3), (1, 2)):
        driver.submit(prompt, most)
    driver.finish()


def edges_cancel(answer):
    driver = Driver(answer, 4, 2, 2)
    s = driver.scheduler
    for _ in range(3):
        driver.submit(2, 4)
    driver.step()
    expect((s.cancel(0), s.state(0), list(s.table(0)), s.free()), (True, "cancelled", [], 2), "[C4] cancel() of one that runs")
    driver.audit()
    expect((s.cancel(2), s.state(2)), (True, "cancelled"), "[C4] cancel() of one that waits")
    expect((s.cancel(2), s.cancel(0)), (False, False), "[C4] cancel() again")
    expect(driver.step(), [1], "[C4] the one that is left")
    driver.finish()
    expect(s.cancel(1), False, "[C4] cancel() of one that is done")
    expect(s.state(1), "done", "[C4] its state")


def edges_cancel_of_a_preempted_one(answer):
    driver = Driver(answer, 4, 2, 2)
    driver.submit(2, 6)
    driver.submit(2, 6)
    for _ in range(3):
        driver.step()
    expect(driver.scheduler.state(1), "waiting", "[C3] the younger one is preempted; its state")
    expect(driver.scheduler.cancel(1), True, "[C4] cancel() of a preempted one")
    driver.audit()
    driver.finish()


def edges_comes_later(answer):
    driver = Driver(answer, 5, 1, 4)
    driver.submit(1, 4)
    driver.submit(1, 4)
    driver.step()
    driver.step()
    driver.submit(1, 1)
    driver.finish()


def settle(driver, most=20):
    """Steps until all is over."""
    for _ in range(most):
        if not driver.living():
            break
        driver.scheduler.step()
        driver.audit()
    expect(driver.living(), [], "[C5] these never end")
    expect(driver.scheduler.free(), driver.pages, "[C5] all is over; free pages")


def schedules_two_submits(answer):
    driver, got = Driver(answer, 4, 1, 2), {}

    def first():
        got["first"] = driver.scheduler.submit(1, 1)

    def second():
        got["second"] = driver.scheduler.submit(1, 1)

    together(first, second)
    expect(sorted(got.values()), [0, 1], "[C5] the numbers of two requests")
    driver.requests = [(1, 1)] * 2
    expect(driver.scheduler.step(), [0, 1], "[C5] both run")


def schedules_cancel_meets_step(answer):
    driver, got = Driver(answer, 4, 1, 2), {}
    driver.submit(1, 2)
    driver.submit(1, 2)
    driver.step()

    def steps():
        got["step"] = driver.scheduler.step()

    def cancels():
        got["cancel"] = driver.scheduler.cancel(0)

    together(steps, cancels)
    state = driver.scheduler.state(0)
    expect(state, "cancelled" if got["cancel"] else "done", f"[C5] cancel() returned {got['cancel']}; the state")
    driver.audit()
    settle(driver)


def schedules_cancel_meets_admission(answer):
    driver, got = Driver(answer, 4, 1, 2), {}
    driver.submit(1, 2)
    driver.submit(1, 2)

    def cancels():
        got["cancel"] = driver.scheduler.cancel(0)

    together(lambda: driver.scheduler.step(), cancels)
    expect((got["cancel"], driver.scheduler.state(0)), (True, "cancelled"), "[C5] cancel(), the state")
    driver.audit()
    settle(driver)


def schedules_submit_meets_step(answer):
    driver = Driver(answer, 4, 1, 2)
    driver.submit(1, 2)
    together(lambda: driver.scheduler.step(), lambda: driver.scheduler.submit(1, 1))
    driver.requests.append((1, 1))
    driver.audit()
    settle(driver)
    expect((driver.scheduler.made(0), driver.scheduler.made(1)), (2, 1), "[C5] tokens that were made")


def schedules_two_cancels(answer):
    driver, got = Driver(answer, 4, 1, 2), {}
    driver.submit(1, 2)
    driver.step()

    def first():
        got["first"] = driver.scheduler.cancel(0)

    def second():
        got["second"] = driver.scheduler.cancel(0)

    together(first, second)
    expect(sum(got.values()), 1, "[C5] one request is cancelled twice; number of True")
    driver.audit()


def schedules_table_meets_step(answer):
    driver, seen = Driver(answer, 4, 2, 2), []
    driver.submit(1, 2)
    driver.submit(1, 6)
    for _ in range(3):
        driver.step()
    before = list(driver.scheduler.table(1))

    def reads():
        seen.append(list(driver.scheduler.table(1)))

    together(lambda: driver.scheduler.step(), reads)
    after = list(driver.scheduler.table(1))
    assert seen[0] in (before, after), f"[C5] the table was {before}, then {after}, and a reader saw {seen[0]}"
    expect(after[: len(before)], before, "[C2] pages that must stay")


def schedules_two_steps(answer):
    driver = Driver(answer, 4, 1, 2)
    driver.submit(1, 2)
    together(lambda: driver.scheduler.step(), lambda: driver.scheduler.step())
    expect((driver.scheduler.made(0), driver.scheduler.state(0)), (2, "done"), "[C5] after two steps; tokens, state")
    driver.audit()
