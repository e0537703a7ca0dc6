# fails: edges T6
import collections
import threading
import time


class Cancelled(Exception):
    pass


class Task:
    """Everything of it is protected by the pool's lock."""

    def __init__(self, pool, call):
        self.pool = pool
        self.call = call
        self.state = "waiting"
        self.outcome = None

    def cancel(self):
        with self.pool.lock:
            if self.state == "waiting":
                self.pool.tasks.remove(self)
                self.state = "cancelled"
                self.pool.ended.notify_all()
            return self.state == "cancelled"

    def done(self):
        with self.pool.lock:
            return self.over()

    def over(self):
        return self.state not in {"waiting", "running"}

    def result(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.pool.lock:
            while not self.over():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self.pool.ended.wait(left)
        if self.state == "cancelled":
            raise Cancelled
        if self.state == "failed":
            raise self.outcome
        return self.outcome


class Pool:
    def __init__(self, workers):
        self.lock = threading.Lock()
        self.work_to_do = threading.Condition(self.lock)
        self.ended = threading.Condition(self.lock)
        self.tasks = collections.deque()
        self.closed = False
        self.threads = []
        for number in range(workers):
            thread = threading.Thread(target=self.work, name=f"worker {number}")
            self.threads.append(thread)
            thread.start()

    def work(self):
        with self.lock:
            while True:
                while not self.tasks and not self.closed:
                    self.work_to_do.wait()
                if not self.tasks:
                    return
                task = self.tasks.popleft()
                task.state = "running"
                self.lock.release()
                try:
                    outcome, state = task.call(), "ended"
                except BaseException as error:
                    outcome, state = error, "failed"
                finally:
                    self.lock.acquire()
                task.outcome, task.state = outcome, state
                self.ended.notify_all()

    def submit(self, function, *arguments):
        with self.lock:
            if self.closed:
                raise RuntimeError("the pool is shut down")
            task = Task(self, lambda: function(*arguments))
            self.tasks.append(task)
            self.work_to_do.notify()
            return task

    def shutdown(self, drop=False):
        with self.lock:
            first, self.closed = not self.closed, True
            while drop and first and self.tasks:
                self.tasks.popleft().state = "cancelled"
            self.work_to_do.notify_all()
            self.ended.notify_all()
        if threading.current_thread() not in self.threads:
            for thread in self.threads:
                thread.join()
