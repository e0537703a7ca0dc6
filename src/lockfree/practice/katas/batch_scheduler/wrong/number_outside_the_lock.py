# fails: schedules C5
import threading


class Scheduler:
    """Each step plans anew: go over the living requests by age, and let them run as long as they fit."""

    def __init__(self, pages, page_size, max_batch):
        self.pages = pages
        self.page_size = page_size
        self.max_batch = max_batch
        self.lock = threading.Lock()
        self.requests = []
        self.living = []
        self.made_by = []
        self.tables = {}
        self.over = {}
        self.free_pages = set(range(pages))

    def submit(self, prompt, most):
        if min(prompt, most) < 1 or self.pages_of(prompt + most) > self.pages:
            raise ValueError(f"a request of {prompt} + {most} tokens; there are {self.pages} pages of {self.page_size}")
        number = len(self.requests)
        with self.lock:
            self.requests.append((prompt, most))
            self.made_by.append(0)
            self.living.append(number)
            return number

    def pages_of(self, tokens):
        return (tokens + self.page_size - 1) // self.page_size

    def plan(self):
        """How many pages each request has that runs in this step."""
        left, planned = self.pages, {}
        for number in self.living[: self.max_batch]:
            need = self.pages_of(self.requests[number][0] + self.made_by[number] + 1)
            if need > left:
                break
            planned[number] = need
            left -= need
        return planned

    def step(self):
        with self.lock:
            planned = self.plan()
            for number in [number for number in self.tables if number not in planned]:
                self.free_pages.update(self.tables.pop(number))
            for number, need in planned.items():
                table = self.tables.setdefault(number, [])
                while len(table) < need:
                    table.append(self.free_pages.pop())
                self.made_by[number] += 1
                if self.made_by[number] == self.requests[number][1]:
                    self.end(number, "done")
            return list(planned)

    def end(self, number, how):
        self.living.remove(number)
        self.over[number] = how
        self.free_pages.update(self.tables.pop(number, []))

    def cancel(self, number):
        with self.lock:
            if number in self.over:
                return False
            self.end(number, "cancelled")
            return True

    def table(self, number):
        with self.lock:
            return list(self.tables.get(number, []))

    def state(self, number):
        with self.lock:
            return self.over.get(number) or ("running" if number in self.tables else "waiting")

    def made(self, number):
        with self.lock:
            return self.made_by[number]

    def free(self):
        with self.lock:
            return len(self.free_pages)
