# fails: schedules R4
"""A time that is older than the stamp takes tokens away, and brings them back later: too late for a full bucket."""
import threading
import time


class Limiter:
    def __init__(self, rate, burst):
        self.rate, self.burst = rate, burst
        self.guard = threading.RLock()
        self.weights = {}
        self.tenants = {}

    def now(self, tenant, at):
        weight = self.weights.get(tenant, 1)
        most = self.burst * weight
        if tenant not in self.tenants:
            self.tenants[tenant] = [most, at]
        bucket = self.tenants[tenant]
        bucket[0] = min(most, bucket[0] + (at - bucket[1]) * self.rate * weight)
        bucket[1] = at
        return bucket, most, self.rate * weight

    def allow(self, tenant, cost=1):
        at = time.monotonic()
        with self.guard:
            if cost <= 0 or cost > self.burst * self.weights.get(tenant, 1):
                raise ValueError
            bucket, _, _ = self.now(tenant, at)
            if bucket[0] + 1e-9 < cost:
                return False
            bucket[0] -= cost
            return True

    def set_weight(self, tenant, weight):
        if weight <= 0:
            raise ValueError
        at = time.monotonic()
        with self.guard:
            if tenant in self.tenants:
                self.now(tenant, at)
            self.weights[tenant] = weight
            if tenant in self.tenants:
                self.tenants[tenant][0] = min(self.tenants[tenant][0], self.burst * weight)

    def delay(self, tenant, cost=1):
        at = time.monotonic()
        with self.guard:
            if cost <= 0 or cost > self.burst * self.weights.get(tenant, 1):
                raise ValueError
            bucket, _, rate = self.now(tenant, at)
            return max(0, (cost - bucket[0]) / rate)
