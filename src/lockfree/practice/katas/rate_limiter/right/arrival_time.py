import threading
import time


class Limiter:
    """One number a tenant: when its bucket will be full again (GCRA). A bucket that is full needs none."""

    def __init__(self, rate, burst):
        self.rate = rate
        self.burst = burst
        self.lock = threading.Lock()
        self.full_at = {}
        self.weights = {}

    def plan(self, tenant, cost):
        """With the lock: when the bucket would be full again after this request, and how long to wait before it."""
        weight = self.weights.get(tenant, 1)
        rate, burst = self.rate * weight, self.burst * weight
        if not 0 < cost <= burst:
            raise ValueError(f"cost is {cost}; it must be above 0 and at most {burst}")
        now = time.monotonic()
        full_at = max(now, self.full_at.get(tenant, now)) + cost / rate
        return full_at, max(0.0, full_at - now - burst / rate)

    def allow(self, tenant, cost=1):
        with self.lock:
            full_at, wait = self.plan(tenant, cost)
            if wait > 0:
                return False
            self.full_at[tenant] = full_at
            return True

    def set_weight(self, tenant, weight):
        if weight <= 0:
            raise ValueError(f"weight is {weight}; it must be above 0")
        with self.lock:
            now, before = time.monotonic(), self.weights.get(tenant, 1)
            self.weights[tenant] = weight
            if tenant in self.full_at:
                missing = max(0.0, self.full_at[tenant] - now) * self.rate * before
                tokens = min(self.burst * before - missing, self.burst * weight)
                self.full_at[tenant] = now + (self.burst * weight - tokens) / (self.rate * weight)

    def delay(self, tenant, cost=1):
        with self.lock:
            return self.plan(tenant, cost)[1]
