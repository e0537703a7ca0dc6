# fails: edges T4
import collections
import threading


class Cancelled(Exception):
    pass


class Task:
    def __init__(self, function, arguments):
        self.function = function
        self.arguments = arguments
        self.state = "waiting"
        self.value = self.error = None
        self.changed = threading.Condition()

    def run(self):
        with self.changed:
            if self.state == "cancelled":
                return
            self.state = "running"
        value = error = None
        try:
            value = self.function(*self.arguments)
        except BaseException as raised:
            error = raised
        with self.changed:
            self.value, self.error, self.state = value, error, "ended"
            self.changed.notify_all()

    def cancel(self):
        with self.changed:
            if self.state == "waiting":
                self.state = "cancelled"
                self.changed.notify_all()
            return self.state == "cancelled"

    def done(self):
        with self.changed:
            return self.state in {"ended", "cancelled"}

    def result(self, timeout=None):
        with self.changed:
            if not self.changed.wait_for(lambda: self.state in {"ended", "cancelled"}, timeout):
                raise TimeoutError
        if self.state == "cancelled":
            raise Cancelled
        if self.error is not None:
            raise self.error
        return self.value


class Pool:
    def __init__(self, workers):
        self.tasks = collections.deque()
        self.closed = False
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.work, name=f"worker {number}") for number in range(workers)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while True:
            with self.changed:
                while not self.tasks:
                    if self.closed:
                        return
                    self.changed.wait()
                task = self.tasks.popleft()
            task.run()

    def submit(self, function, *arguments):
        task = Task(function, arguments)
        with self.changed:
            if self.closed:
                raise RuntimeError("the pool is shut down")
            self.tasks.append(task)
            self.changed.notify()
        return task

    def shutdown(self, drop=False):
        with self.changed:
            self.closed = True
            if drop:
                for task in self.tasks:
                    task.cancel()
            self.changed.notify()
        if threading.current_thread() not in self.threads:
            for thread in self.threads:
                thread.join()
