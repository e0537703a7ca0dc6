# fails: schedules R1
import threading
import time


class Bucket:
    """Its lock protects all of it. tokens is None until the first call, which fills it."""

    def __init__(self, rate, burst):
        self.lock = threading.Lock()
        self.rate = rate
        self.burst = burst
        self.tokens = None
        self.stamp = 0.0

    def refill(self):
        now = time.monotonic()
        if self.tokens is None:
            self.tokens = self.burst
        else:
            self.tokens = min(self.burst, self.tokens + (now - self.stamp) * self.rate)
        self.stamp = now

    def missing(self, cost):
        if not 0 < cost <= self.burst:
            raise ValueError(f"cost is {cost}; it must be above 0 and at most {self.burst}")
        self.refill()
        return max(0.0, cost - self.tokens)


class Limiter:
    def __init__(self, rate, burst):
        self.rate = rate
        self.burst = burst
        self.table_lock = threading.Lock()
        self.buckets = {}

    def bucket(self, tenant):
        with self.table_lock:
            if tenant not in self.buckets:
                self.buckets[tenant] = Bucket(self.rate, self.burst)
            return self.buckets[tenant]

    def allow(self, tenant, cost=1):
        bucket = self.bucket(tenant)
        with bucket.lock:
            if bucket.missing(cost):
                return False
            bucket.tokens -= cost
            return True

    def set_weight(self, tenant, weight):
        if weight <= 0:
            raise ValueError(f"weight is {weight}; it must be above 0")
        bucket = self.bucket(tenant)
        with bucket.lock:
            if bucket.tokens is not None:
                bucket.refill()
                bucket.tokens = min(bucket.tokens, self.burst * weight)
            bucket.rate, bucket.burst = self.rate * weight, self.burst * weight

    def delay(self, tenant, cost=1):
        bucket = self.bucket(tenant)
        return bucket.missing(cost) / bucket.rate
