"""Two processes that take turns: the time of one whole round."""

from frame.columns import median_time

from lockfree.bench.engine import Load, Worker


def rounds(make):
    """`make()` gives turn(mine, at): it waits until the count is `at`, adds one, and tells the other process."""

    def load():
        turn = make()

        def first(tally):
            at = iter(range(0, 1 << 60, 2))
            tally.one_by_one(lambda: turn(0, next(at)))

        def second(_tally):
            for at in range(1, 1 << 60, 2):
                turn(1, at)

        return Load([Worker("round", first), Worker("other", second, counts=False)], grace=0.05)

    return median_time(load, "round")
