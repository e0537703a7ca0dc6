import threading


class Request:
    def __init__(self, prompt, most):
        self.prompt = prompt
        self.most = most
        self.made = 0
        self.state = "waiting"
        self.table = []


class Scheduler:
    """Those that wait and those that run, both by age. The youngest that runs is older than the first that waits."""

    def __init__(self, pages, page_size, max_batch):
        self.pages = pages
        self.page_size = page_size
        self.max_batch = max_batch
        self.lock = threading.Lock()
        self.requests = []
        self.waiting = []
        self.running = []
        self.free_pages = list(range(pages))

    def submit(self, prompt, most):
        if prompt < 1 or most < 1 or prompt + most > self.pages * self.page_size:
            raise ValueError(f"{prompt} + {most} tokens; it must be 1 or more each, and fit into {self.pages} pages")
        with self.lock:
            request = Request(prompt, most)
            self.requests.append(request)
            self.waiting.append(request)
            return len(self.requests) - 1

    def need(self, request):
        return -(-(request.prompt + request.made + 1) // self.page_size)

    def step(self):
        with self.lock:
            while self.waiting and len(self.running) < self.max_batch:
                if self.need(self.waiting[0]) > len(self.free_pages):
                    break
                self.admit(self.waiting.pop(0))
            for request in list(self.running):
                while request.state == "running" and self.need(request) > len(request.table):
                    if self.free_pages:
                        request.table.append(self.free_pages.pop())
                    else:
                        self.preempt(self.running.pop())
            got = list(self.running)
            for request in got:
                request.made += 1
                if request.made == request.most:
                    self.running.remove(request)
                    self.release(request, "done")
            return [number for number, request in enumerate(self.requests) if request in got]

    def admit(self, request):
        request.state = "running"
        self.running.append(request)
        for _ in range(self.need(request)):
            request.table.append(self.free_pages.pop())

    def preempt(self, request):
        self.release(request, "waiting")
        self.waiting.insert(0, request)

    def release(self, request, state):
        request.state = state
        self.free_pages.extend(request.table)
        request.table = []

    def cancel(self, number):
        with self.lock:
            request = self.requests[number]
            if request.state in {"done", "cancelled"}:
                return False
            (self.running if request.state == "running" else self.waiting).remove(request)
            self.release(request, "cancelled")
            return True

    def table(self, number):
        with self.lock:
            return list(self.requests[number].table)

    def state(self, number):
        with self.lock:
            return self.requests[number].state

    def made(self, number):
        with self.lock:
            return self.requests[number].made

    def free(self):
        with self.lock:
            return len(self.free_pages)
