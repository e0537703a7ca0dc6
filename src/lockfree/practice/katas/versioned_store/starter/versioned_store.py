import threading


class Store:
    def __init__(self):
        self.lock = threading.Lock()

    def put(self, key, value, at):
        raise NotImplementedError

    def get(self, key, at):
        raise NotImplementedError

    def put_all(self, changes, at):
        raise NotImplementedError

    def get_all(self, keys, at):
        raise NotImplementedError
