import threading
import time


class Limiter:
    def __init__(self, rate, burst):
        self.rate = rate
        self.burst = burst
        self.lock = threading.Lock()

    def allow(self, tenant, cost=1):
        raise NotImplementedError

    def set_weight(self, tenant, weight):
        raise NotImplementedError

    def delay(self, tenant, cost=1):
        raise NotImplementedError
