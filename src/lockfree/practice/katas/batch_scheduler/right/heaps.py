import heapq
import threading


class Request:
    def __init__(self, number, prompt, most):
        self.number = number
        self.tokens = prompt
        self.prompt = prompt
        self.end = prompt + most
        self.state = "waiting"


class Scheduler:
    """The owner of each page in one list. The numbers that wait lie in a heap, so a preempted one comes first again."""

    def __init__(self, pages, page_size, max_batch):
        self.page_size = page_size
        self.max_batch = max_batch
        self.lock = threading.Lock()
        self.owner = [None] * pages
        self.place = [0] * pages
        self.requests = []
        self.waiting = []
        self.running = set()

    def submit(self, prompt, most):
        if prompt < 1 or most < 1 or prompt + most > len(self.owner) * self.page_size:
            raise ValueError(f"{prompt} + {most} tokens do not fit into {len(self.owner)} pages of {self.page_size}")
        with self.lock:
            request = Request(len(self.requests), prompt, most)
            self.requests.append(request)
            heapq.heappush(self.waiting, request.number)
            return request.number

    def take(self, request):
        """Takes the pages for the next token. False, and nothing is taken, if there are too few."""
        has = self.owner.count(request.number)
        missing = request.tokens // self.page_size + 1 - has
        found = [page for page, owner in enumerate(self.owner) if owner is None][:missing]
        if len(found) < missing:
            return False
        for number, page in enumerate(found):
            self.owner[page], self.place[page] = request.number, has + number
        return True

    def leave(self, request, state):
        request.state = state
        self.running.discard(request.number)
        for page, owner in enumerate(self.owner):
            if owner == request.number:
                self.owner[page] = None

    def step(self):
        with self.lock:
            for number in sorted(self.running):
                request = self.requests[number]
                while number in self.running and not self.take(request):
                    youngest = max(self.running)
                    self.leave(self.requests[youngest], "waiting")
                    heapq.heappush(self.waiting, youngest)
            while self.waiting and len(self.running) < self.max_batch:
                request = self.requests[self.waiting[0]]
                if request.state == "waiting":
                    if not self.take(request):
                        break
                    request.state = "running"
                    self.running.add(request.number)
                heapq.heappop(self.waiting)
            got = sorted(self.running)
            for number in got:
                request = self.requests[number]
                request.tokens += 1
                if request.tokens == request.end:
                    self.leave(request, "done")
            return got

    def cancel(self, number):
        with self.lock:
            request = self.requests[number]
            if request.state not in {"waiting", "running"}:
                return False
            self.leave(request, "cancelled")
            return True

    def table(self, number):
        with self.lock:
            pages = [page for page, owner in enumerate(self.owner) if owner == number]
            return sorted(pages, key=lambda page: self.place[page])

    def state(self, number):
        with self.lock:
            return self.requests[number].state

    def made(self, number):
        with self.lock:
            return self.requests[number].tokens - self.requests[number].prompt

    def free(self):
        with self.lock:
            return self.owner.count(None)
