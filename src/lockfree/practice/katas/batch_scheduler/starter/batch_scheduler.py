import threading


class Scheduler:
    def __init__(self, pages, page_size, max_batch):
        self.pages = pages
        self.page_size = page_size
        self.max_batch = max_batch
        self.lock = threading.Lock()

    def submit(self, prompt, most):
        raise NotImplementedError

    def step(self):
        raise NotImplementedError

    def cancel(self, number):
        raise NotImplementedError

    def table(self, number):
        raise NotImplementedError

    def state(self, number):
        raise NotImplementedError

    def made(self, number):
        raise NotImplementedError

    def free(self):
        raise NotImplementedError
