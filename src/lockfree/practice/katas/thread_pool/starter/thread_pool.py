import threading


class Cancelled(Exception):
    pass


class Pool:
    def __init__(self, workers):
        self.workers = workers

    def submit(self, function, *arguments):
        raise NotImplementedError

    def shutdown(self, drop=False):
        raise NotImplementedError
