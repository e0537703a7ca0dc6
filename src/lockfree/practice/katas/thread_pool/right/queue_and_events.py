import queue
import threading


class Cancelled(Exception):
    pass


class Task:
    def __init__(self, function, arguments):
        self.function = function
        self.arguments = arguments
        self.lock = threading.Lock()
        self.claimed = self.cancelled = False
        self.over = threading.Event()
        self.value = self.error = None

    def run(self):
        with self.lock:
            if self.cancelled:
                return
            self.claimed = True
        try:
            self.value = self.function(*self.arguments)
        except BaseException as raised:
            self.error = raised
        self.over.set()

    def cancel(self):
        with self.lock:
            if not self.claimed:
                self.cancelled = True
        if self.cancelled:
            self.over.set()
        return self.cancelled

    def done(self):
        return self.over.is_set()

    def result(self, timeout=None):
        if not self.over.wait(timeout):
            raise TimeoutError
        if self.cancelled:
            raise Cancelled
        if self.error is not None:
            raise self.error
        return self.value


class Pool:
    def __init__(self, workers):
        self.tasks = queue.Queue()
        self.closed = False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while (task := self.tasks.get()) is not None:
            task.run()

    def submit(self, function, *arguments):
        task = Task(function, arguments)
        with self.lock:
            if self.closed:
                raise RuntimeError("the pool is shut down")
            self.tasks.put(task)
        return task

    def shutdown(self, drop=False):
        with self.lock:
            first, self.closed = not self.closed, True
            if drop:
                self.cancel_all()
            if first or drop:
                for _ in self.threads:
                    self.tasks.put(None)
        if threading.current_thread() not in self.threads:
            for thread in self.threads:
                thread.join()

    def cancel_all(self):
        while True:
            try:
                task = self.tasks.get_nowait()
            except queue.Empty:
                return
            if task is not None:
                task.cancel()
