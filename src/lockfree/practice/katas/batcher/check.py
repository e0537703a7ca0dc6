"""What the judge runs. A text in brackets names the diagnosis."""

import asyncio
import time


class Model:
    """What answers batches. The answer to x is x!, and a request that begins with `bad` is answered with an exception."""

    def __init__(self, takes=1, fails=0, size=3, answers=None):
        self.takes = takes
        self.fails = fails
        self.size = size
        self.answers = answers  # how many, if not one for each request
        self.batches = []
        self.begun = []
        self.busy = False

    async def run(self, requests):
        assert not self.busy, "[B6] two batches run at the same time"
        assert 1 <= len(requests) <= self.size, f"[B6] a batch of {len(requests)}; it must be 1 to {self.size}"
        self.busy = True
        self.batches.append(list(requests))
        self.begun.append(time.monotonic())
        answers = [LookupError(request) if request.startswith("bad") else f"{request}!" for request in requests]
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.busy = False
        if len(self.batches) <= self.fails:
            raise ConnectionError("the batch fails")
        return answers if self.answers is None else (answers * 2)[: self.answers]


async def at(seconds, awaitable):
    """Awaits at a time; what it returns, or the exception that it raises."""
    await asyncio.sleep(seconds - time.monotonic())
    try:
        return await awaitable
    except Exception as error:
        return error


async def asks(batcher, *plan):
    """Asks at given times: pairs of time and request. The answers in the order of the plan."""
    got = await asyncio.gather(*(at(seconds, batcher.ask(request)) for seconds, request in plan))
    for error in got:
        if isinstance(error, AssertionError):  # of the model
            raise error
    return got


def expect(got, wanted, says):
    assert got == wanted, f"{says}: {got!r} instead of {wanted!r}"


async def edges_max_wait(answer):
    model = Model()
    batcher = answer.Batcher(model.run, 3, 5)
    expect(await asks(batcher, (0, "a")), ["a!"], "[B2] one request")
    expect(model.begun, [5], "[B1] one request waits for max_wait, which is 5 s; batches began at")


async def edges_full(answer):
    model = Model()
    batcher = answer.Batcher(model.run, 3, 50)
    expect(await asks(batcher, (0, "a"), (1, "b"), (2, "c")), ["a!", "b!", "c!"], "[B2] three requests")
    expect(model.begun, [2], "[B6] a batch of three is full; batches began at")


async def edges_timer_of_the_oldest(answer):
    model = Model()
    batcher = answer.Batcher(model.run, 3, 5)
    expect(await asks(batcher, (0, "a"), (4, "b")), ["a!", "b!"], "[B2] two requests")
    expect(model.begun, [5], "[B3] requests at 0 and 4, max_wait 5; batches began at")


async def edges_timer_of_a_batch_that_is_gone(answer):
    model = Model(takes=0.5, size=2)
    batcher = answer.Batcher(model.run, 2, 5)
    expect(await asks(batcher, (0, "a"), (1, "b"), (2, "c")), ["a!", "b!", "c!"], "[B2] three requests")
    expect(model.begun, [1, 7], "[B3] full at 1; the next one at 2 waits for 5 s; batches began at")


async def edges_busy(answer):
    """What is due while a batch runs is run when it ends."""
    model = Model(takes=10)
    batcher = answer.Batcher(model.run, 3, 2)
    got = await asks(batcher, (0, "a"), (3, "b"), (4, "c"), (11, "d"))
    expect(got, ["a!", "b!", "c!", "d!"], "[B2] four requests")
    expect(model.begun, [2, 12], "[B8] a batch takes 10 s, max_wait is 2; batches began at")
    expect(model.batches[1], ["b", "c", "d"], "[B8] what has arrived until then is in the next batch")


async def edges_same_request(answer):
    model = Model(size=2)
    batcher = answer.Batcher(model.run, 2, 5)
    expect(await asks(batcher, (0, "a"), (0, "a")), ["a!", "a!"], "[B2] two callers ask the same")
    expect(model.batches, [["a", "a"]], "[B2] two callers ask the same; batches")


async def edges_many_at_once(answer):
    model = Model(size=2)
    batcher = answer.Batcher(model.run, 2, 5)
    got = await asks(batcher, *((0, name) for name in "abcde"))
    expect(got, ["a!", "b!", "c!", "d!", "e!"], "[B2] five requests")
    expect(sorted(map(len, model.batches)), [1, 2, 2], "[B6] five requests, max_size 2; sizes of the batches")


async def edges_failure_of_one(answer):
    model = Model()
    batcher = answer.Batcher(model.run, 3, 5)
    one, bad, other = await asks(batcher, (0, "a"), (0, "bad"), (0, "b"))
    expect((one, other), ("a!", "b!"), "[B4] the others of the batch")
    assert isinstance(bad, LookupError), f"[B4] an answer that is an exception is raised; ask() returned {bad!r}"


async def edges_failure_of_a_batch(answer):
    model = Model(fails=1)
    batcher = answer.Batcher(model.run, 3, 5)
    got = await asks(batcher, (0, "a"), (0, "b"), (20, "c"))
    assert isinstance(got[0], ConnectionError), f"[B4] run() has failed; ask() gave {got[0]!r}"
    assert isinstance(got[1], ConnectionError), f"[B4] run() has failed; ask() gave {got[1]!r}"
    expect(got[2], "c!", "[B4] the next batch")


async def edges_failure_of_the_length(answer):
    for number in (0, 1, 3):
        batcher = answer.Batcher(Model(answers=number).run, 3, 5)
        now = time.monotonic()
        got = await asks(batcher, (now, "a"), (now, "b"))
        failed = all(isinstance(error, RuntimeError) for error in got)
        assert failed, f"[B4] run() returned {number} answers to 2 requests; got {got!r}"


async def edges_cancel_while_it_waits(answer):
    model = Model(size=2)
    batcher = answer.Batcher(model.run, 2, 5)
    gone = asyncio.create_task(batcher.ask("gone"))
    await asyncio.sleep(1)
    gone.cancel()
    got = await asks(batcher, (2, "a"), (3, "b"))
    assert gone.cancelled(), "[B5] ask() was cancelled, and does not raise CancelledError"
    expect(got, ["a!", "b!"], "[B5] the others")
    expect(model.batches, [["a", "b"]], "[B5] a cancelled request is not sent to run(); batches")


async def edges_cancel_while_it_runs(answer):
    model = Model(takes=5, size=2)
    batcher = answer.Batcher(model.run, 2, 5)
    gone = asyncio.create_task(batcher.ask("gone"))
    other = asyncio.create_task(at(0, batcher.ask("a")))
    await asyncio.sleep(1)
    gone.cancel()
    expect(await other, "a!", "[B5] the other one of the batch")
    expect(await asks(batcher, (20, "b")), ["b!"], "[B5] the next batch")


async def edges_close(answer):
    model = Model()
    batcher = answer.Batcher(model.run, 3, 50)
    asked = asyncio.gather(*(at(0, batcher.ask(name)) for name in "abcd"))
    await asyncio.sleep(0.5)
    await batcher.close()
    assert model.begun[-1] < 10, f"[B7] close() waited until {model.begun[-1]:g} s for a batch that nobody fills"
    assert not model.busy, "[B7] close() returned while a batch runs"
    expect(len(model.batches), 2, "[B7] four requests, max_size 3; number of batches")
    expect(await asked, ["a!", "b!", "c!", "d!"], "[B7] what was asked before close()")
    late = await at(0, batcher.ask("late"))
    assert isinstance(late, RuntimeError), f"[B7] ask() after close() gave {late!r}"
    await batcher.close()


async def schedules_answers(answer):
    model = Model(size=2)
    batcher = answer.Batcher(model.run, 2, 1)

    async def ask(name):
        got = await batcher.ask(name)
        assert got == f"{name}!", f"[B2] the answer to {name!r} is {got!r}"

    await asyncio.gather(*(ask(name) for name in "abc"))


async def schedules_answers_while_busy(answer):
    model = Model(size=2)
    batcher = answer.Batcher(model.run, 2, 1)

    async def ask(name, seconds):
        await asyncio.sleep(seconds)
        got = await batcher.ask(name)
        assert got == f"{name}!", f"[B2] the answer to {name!r} is {got!r}"

    await asyncio.gather(ask("a", 0), ask("b", 1), ask("c", 1.5), ask("d", 2))


async def schedules_cancel_meets_the_batch(answer):
    """The caller gives up in the moment when its batch begins, and another one when it ends."""
    model = Model(size=2)
    batcher = answer.Batcher(model.run, 2, 1)
    gone = asyncio.create_task(batcher.ask("gone"))
    late = asyncio.create_task(batcher.ask("late"))

    async def cancels():
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(1)
        late.cancel()

    stops = asyncio.create_task(cancels())
    got = await asyncio.wait_for(batcher.ask("a"), 50)
    expect(got, "a!", "[B5] the one who stays")
    await stops
    await asyncio.wait([gone, late], timeout=50)
    assert gone.done() and late.done(), "[B5] a cancelled caller waits on"
    expect(await asyncio.wait_for(batcher.ask("b"), 50), "b!", "[B5] the next batch")


async def schedules_close_meets_ask(answer):
    model = Model(size=2)
    batcher = answer.Batcher(model.run, 2, 50)

    async def ask(name):
        try:
            got = await batcher.ask(name)
        except RuntimeError:
            return
        assert got == f"{name}!", f"[B2] the answer to {name!r} is {got!r}"

    async def close():
        await batcher.close()
        assert not model.busy, "[B7] close() returned while a batch runs"

    await asyncio.wait_for(asyncio.gather(ask("a"), ask("b"), ask("c"), close()), 20)
