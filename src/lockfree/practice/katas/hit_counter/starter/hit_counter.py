import threading


class HitCounter:
    def __init__(self, window=300):
        self.window = window
        self.lock = threading.Lock()

    def hit(self, at):
        raise NotImplementedError

    def count(self, at):
        raise NotImplementedError
