"""What the judge runs. A text in brackets names the diagnosis. Time may pass between any two steps (`early`)."""

import threading
import time


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def raises(error, call):
    try:
        call()
    except error:
        return True
    return False


def spend(limiter, tenant, most=20):
    """How many requests of cost 1 are allowed now."""
    return next((number for number in range(most) if not limiter.allow(tenant)), most)


def edges_cost(answer):
    limiter = answer.Limiter(1, 3)
    assert limiter.allow("a", 2) is True, "[R6] 2 of 3 tokens"
    assert limiter.allow("a", 2) is False, "[R6] 1 token is left, and the cost is 2"
    assert limiter.allow("a", cost=1) is True, "[R6] the refused request has taken nothing"
    for cost in (4, 0, -1):
        assert raises(ValueError, lambda cost=cost: limiter.allow("a", cost)), f"[R6] cost {cost} with burst 3 is an error"
    limiter = answer.Limiter(1, 3)
    assert limiter.allow("b", 0.5) is True, "[R6] a cost may be a part of a token"
    assert limiter.allow("b", 2.5) is True, "[R6] 2.5 are left"


def edges_burst_and_rate(answer):
    limiter = answer.Limiter(1, 3)
    for after, expected in ((0, 3), (1, 1), (2, 2), (100, 3), (0, 0)):
        time.sleep(after)
        got = spend(limiter, "a")
        assert got == expected, f"[R5] rate 1, burst 3: after {after} s {got} requests are allowed instead of {expected}"


def edges_parts_of_tokens(answer):
    limiter = answer.Limiter(0.5, 1)
    spend(limiter, "a")
    for _ in range(3):
        time.sleep(1)
        assert not limiter.allow("a"), "[R5] half a token is not enough"
        time.sleep(1)
        assert limiter.allow("a"), "[R5] two halves are one token, also if a request was refused in between"


def edges_tenants(answer):
    limiter = answer.Limiter(1, 2)
    assert spend(limiter, "a") == 2, "[R5] a new tenant has the whole burst"
    assert spend(limiter, "b") == 2, "[R8] another tenant has a bucket of its own"
    time.sleep(1)
    got = spend(limiter, "a"), spend(limiter, "b")
    assert got == (1, 1), f"[R8] after 1 s each tenant has earned 1; allowed: {got}"


def edges_weight(answer):
    limiter = answer.Limiter(1, 2)
    limiter.set_weight("big", 2)
    got = spend(limiter, "big")
    assert got == 4, f"[R7] burst 2, weight 2: {got} allowed"
    time.sleep(1)
    got = spend(limiter, "big")
    assert got == 2, f"[R7] rate 1, weight 2: {got} allowed after 1 s"
    assert spend(limiter, "a") == 2, "[R7] other tenants keep their weight"
    time.sleep(1)
    limiter.set_weight("a", 4)
    got = spend(limiter, "a")
    assert got == 1, f"[R7] what was earned before counts with the old weight; {got} allowed instead of 1"
    time.sleep(100)
    limiter.set_weight("a", 1)
    got = spend(limiter, "a")
    assert got == 2, f"[R7] the new burst is 2; {got} allowed"
    assert limiter.allow("big", 4), "[R7] a cost up to the burst with its weight"
    assert raises(ValueError, lambda: limiter.set_weight("a", 0)), "[R7] weight 0 is an error"


def edges_delay(answer):
    limiter = answer.Limiter(2, 4)
    assert limiter.delay("a", 4) == 0, "[R6] the bucket is full"
    spend(limiter, "a")
    got = limiter.delay("a"), limiter.delay("a", 4)
    assert got == (0.5, 2), f"[R6] an empty bucket with rate 2: delay is {got} for cost 1 and 4"
    time.sleep(2)
    assert limiter.delay("a", 4) == 0, "[R6] delay() is right, and takes nothing"
    assert limiter.allow("a", 4), "[R6] delay() takes nothing"
    limiter.set_weight("a", 4)
    got = limiter.delay("a"), limiter.delay("a", 16)
    near = abs(got[0] - 0.125) < 0.01 and abs(got[1] - 2) < 0.01
    assert near, f"[R6] an empty bucket with rate 2, weight 4: delay is {got} for cost 1 and 16"


def schedules_refill(answer):
    """Two calls that take nothing refill the bucket at the same time."""
    limiter = answer.Limiter(1, 3)
    spend(limiter, "a")
    time.sleep(1)
    together(lambda: limiter.delay("a"), lambda: limiter.delay("a"))
    got = spend(limiter, "a")
    assert got == 1, f"[R1] 1 token was earned, and {got} requests are allowed"


def schedules_one_token(answer):
    limiter, got = answer.Limiter(1, 2), {}
    limiter.allow("a")

    def first():
        got["first"] = limiter.allow("a")

    def second():
        got["second"] = limiter.allow("a")

    together(first, second)
    assert sum(got.values()) == 1, f"[R2] {sum(got.values())} requests took the only token"
    assert not limiter.allow("a"), "[R2] the token is spent"


def schedules_new_tenant(answer):
    limiter, got = answer.Limiter(1, 1), {}

    def first():
        got["first"] = limiter.allow("a")

    def second():
        got["second"] = limiter.allow("a")

    together(first, second)
    assert sum(got.values()) == 1, f"[R3] a new tenant with burst 1: {sum(got.values())} requests are allowed"
    assert not limiter.allow("a"), "[R3] the token is spent"


def schedules_new_tenants(answer):
    limiter, got = answer.Limiter(1, 1), {}

    def first():
        got["first"] = limiter.allow("a")

    def second():
        got["second"] = limiter.allow("b")

    together(first, second)
    assert list(got.values()) == [True, True], f"[R3] two new tenants: {got}"
    assert not limiter.allow("a"), "[R3] the token of a is spent"
    assert not limiter.allow("b"), "[R3] the token of b is spent"


def schedules_slow_thread(answer):
    """Time passes while a thread is on its way into the limiter."""
    limiter, got = answer.Limiter(1, 3), {}
    spend(limiter, "a")
    began = time.monotonic()

    def slow():
        got["slow"] = limiter.allow("a")

    def quick():
        time.sleep(1)
        got["quick"] = limiter.allow("a")
        got["again"] = limiter.allow("a")

    together(slow, quick)
    allowed = sum(got.values()) + spend(limiter, "a")
    earned = time.monotonic() - began
    assert allowed <= earned, f"[R4] {earned:g} tokens were earned, and {allowed} were spent"


def schedules_full_bucket(answer):
    """The bucket is full all the time, and the other call takes nothing, but has a newer time."""
    limiter, got = answer.Limiter(1, 2), {}
    limiter.delay("a")
    time.sleep(5)

    def slow():
        got["slow"] = limiter.allow("a", 2)

    def looks():
        time.sleep(1)
        limiter.delay("a")

    together(slow, looks)
    assert got["slow"], "[R4] the bucket was full all the time, and allow() refused: it counted back from a newer stamp"


def schedules_weight_meets_allow(answer):
    limiter, got = answer.Limiter(1, 2), {}
    limiter.allow("a")

    def asks():
        got["a"] = limiter.allow("a")

    together(asks, lambda: limiter.set_weight("a", 2))
    assert got["a"], "[R7] a token was there"
    assert not limiter.allow("a"), "[R7] set_weight() brought a token back that was spent"


def schedules_weight_meets_cost(answer):
    """Before the new weight there are enough tokens; after it the cost is above the burst."""
    limiter, got = answer.Limiter(1, 4), {}
    limiter.delay("a")

    def asks():
        try:
            got["a"] = limiter.allow("a", 3)
        except ValueError:
            got["a"] = ValueError

    together(asks, lambda: limiter.set_weight("a", 0.5))
    assert got["a"] in {True, ValueError}, "[R7] allow() refused a cost that the bucket held, or that is above the burst"


def schedules_weight_of_a_new_tenant(answer):
    limiter, got = answer.Limiter(1, 1), {}

    def asks():
        got["a"] = limiter.allow("a")

    together(asks, lambda: limiter.set_weight("a", 2))
    got = spend(limiter, "a")
    assert got <= 1, f"[R7] at most 2 tokens were there, 1 is spent, and {got} more are allowed"
    time.sleep(10)
    got = spend(limiter, "a")
    assert got == 2, f"[R7] the burst is 2 from now on; {got} are allowed"
