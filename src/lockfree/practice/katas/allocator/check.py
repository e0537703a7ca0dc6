"""What the judge runs. A text in brackets names the diagnosis."""

import random
import threading


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


def largest(allocator, wanted, says):
    got = allocator.largest_free()
    assert got == wanted, f"{says}: largest_free() returned {got!r} instead of {wanted}"


def disjoint(size, blocks, says):
    """blocks: pairs of offset and size. None of them may overlap another one, or the end."""
    before = 0
    for offset, length in sorted(blocks):
        assert isinstance(offset, int) and 0 <= offset <= size - length, f"[M6] {says}: offset {offset!r} of {length} units"
        assert offset >= before, f"[M1] {says}: two allocations overlap: {sorted(blocks)}"
        before = offset + length


def edges_too_large(answer):
    allocator = answer.Allocator(8)
    assert allocator.alloc(9) is None, "[M6] alloc(9) of 8"
    for size in (0, -1):
        assert raises(ValueError, lambda size=size: allocator.alloc(size)), f"[M6] alloc({size}) raises ValueError"
    largest(allocator, 8, "[M5] nothing was allocated")


def three(answer):
    """Three blocks of 3 that fill the memory, from the left to the right."""
    allocator = answer.Allocator(9)
    return allocator, sorted(allocator.alloc(3) for _ in range(3))


def edges_joins_with_the_left(answer):
    allocator, (left, middle, _) = three(answer)
    allocator.free(left)
    allocator.free(middle)
    largest(allocator, 6, "[M2] the left and the middle third are free")
    assert allocator.alloc(6) == left, "[M2] alloc(6) of 6 that are free in a row"


def edges_joins_with_the_right(answer):
    allocator, (_, middle, right) = three(answer)
    allocator.free(right)
    allocator.free(middle)
    largest(allocator, 6, "[M3] the middle and the right third are free")
    assert allocator.alloc(6) == middle, "[M3] alloc(6) of 6 that are free in a row"


def edges_joins_with_both(answer):
    allocator, (left, middle, right) = three(answer)
    allocator.free(left)
    allocator.free(right)
    largest(allocator, 3, "[M5] two thirds are free, and they do not touch")
    assert allocator.alloc(4) is None, "[M6] alloc(4), and the free blocks have 3"
    allocator.free(middle)
    largest(allocator, 9, "[M3] all is free")


def edges_wrong_frees(answer):
    allocator, (left, middle, _) = three(answer)
    allocator.free(left)
    outside = (9, -1, middle - 9)
    for offset, what in (
        (left, "freed already"), (middle + 1, "in the middle"), *((offset, "outside") for offset in outside),
    ):  # fmt: skip
        assert raises(ValueError, lambda offset=offset: allocator.free(offset)), f"[M4] free({offset}), which is {what}"
    largest(allocator, 3, "[M4] refused frees change nothing")
    allocator.free(middle)
    assert raises(ValueError, lambda: allocator.free(middle)), "[M4] a double free of a block that was joined"


def edges_all_of_it(answer):
    allocator = answer.Allocator(8)
    largest(allocator, 8, "[M5] all is free")
    blocks = [(allocator.alloc(size), size) for size in (3, 1, 4)]
    assert None not in [offset for offset, _ in blocks], f"[M6] 3 + 1 + 4 fit into 8: {blocks}"
    disjoint(8, blocks, "3 + 1 + 4 of 8")
    largest(allocator, 0, "[M5] nothing is free")
    assert allocator.alloc(1) is None, "[M6] nothing is free, and alloc(1) does not return None"
    for offset, _ in blocks:
        allocator.free(offset)
    assert allocator.alloc(8) == 0, "[M6] all is free again, and alloc(8) fails"


def edges_many_calls(answer):
    """Against a plain model: a map of the units."""
    chance = random.Random(7)
    allocator, units, blocks = answer.Allocator(16), [0] * 16, {}
    for _ in range(60):
        if blocks and chance.random() < 0.5:
            offset = chance.choice(sorted(blocks))
            allocator.free(offset)
            size = blocks.pop(offset)
            units[offset : offset + size] = [0] * size
        else:
            size = chance.randrange(1, 6)
            runs = "".join(map(str, units)).split("1")
            offset = allocator.alloc(size)
            room = max(map(len, runs)) >= size
            assert (offset is not None) == room, f"[M6] alloc({size}) returned {offset}; free runs: {[len(r) for r in runs if r]}"
            if offset is not None:
                blocks[offset] = size
                disjoint(16, blocks.items(), "after many calls")
                units[offset : offset + size] = [1] * size
        runs = "".join(map(str, units)).split("1")
        largest(allocator, max(map(len, runs)), f"[M5] free runs: {[len(r) for r in runs if r]}")


def schedules_two_allocs(answer):
    allocator, got = answer.Allocator(4), {}

    def first():
        got["first"] = allocator.alloc(2)

    def second():
        got["second"] = allocator.alloc(2)

    together(first, second)
    assert None not in got.values(), f"[M1] 2 + 2 fit into 4: {got}"
    disjoint(4, [(offset, 2) for offset in got.values()], "two threads")
    largest(allocator, 0, "[M1] nothing is left")


def schedules_one_block_left(answer):
    allocator, got = answer.Allocator(3), {}

    def first():
        got["first"] = allocator.alloc(2)

    def second():
        got["second"] = allocator.alloc(2)

    together(first, second)
    assert list(got.values()).count(None) == 1, f"[M1] 2 + 2 do not fit into 3: {got}"
    largest(allocator, 1, "[M1] 1 of 3 is left")


def schedules_double_free(answer):
    allocator, refused = answer.Allocator(4), {}
    allocator.alloc(1)
    offset = allocator.alloc(2)

    def first():
        refused["first"] = raises(ValueError, lambda: allocator.free(offset))

    def second():
        refused["second"] = raises(ValueError, lambda: allocator.free(offset))

    together(first, second)
    assert sum(refused.values()) == 1, f"[M4] the same block is freed twice; refused: {refused}"
    largest(allocator, 3, "[M4] 3 of 4 are free")


def schedules_refused_and_not_yet_free(answer):
    allocator, seen = answer.Allocator(4), []
    allocator.alloc(1)
    offset = allocator.alloc(2)

    def frees():
        if raises(ValueError, lambda: allocator.free(offset)):
            seen.append(allocator.largest_free())

    together(frees, frees)
    assert seen == [3], f"[M4] who is told that the block is free already finds 3 of 4 free, once; found: {seen}"


def schedules_two_frees(answer):
    allocator = answer.Allocator(4)
    one, other = allocator.alloc(2), allocator.alloc(2)
    together(lambda: allocator.free(one), lambda: allocator.free(other))
    largest(allocator, 4, "[M2] two neighbours are freed at the same time")
    assert allocator.alloc(4) == 0, "[M2] all is free"


def schedules_alloc_meets_free(answer):
    allocator, got = answer.Allocator(4), {}
    offset = allocator.alloc(2)

    def allocs():
        got["offset"] = allocator.alloc(2)

    together(allocs, lambda: allocator.free(offset))
    assert got["offset"] is not None, "[M6] 2 were free all the time"
    largest(allocator, 2, "[M1] 2 of 4 are free")
    assert raises(ValueError, lambda: allocator.free(got["offset"] + 1)), "[M4] in the middle of a block"
    allocator.free(got["offset"])
    largest(allocator, 4, "[M2] all is free")


def schedules_largest_free_meanwhile(answer):
    allocator, got = answer.Allocator(6), []
    offset = allocator.alloc(2)

    def works():
        allocator.free(offset)
        allocator.alloc(6)

    def looks():
        got.append(allocator.largest_free())

    together(works, looks)
    assert got[0] in {4, 6, 0}, f"[M5] free were 4, then 6, then 0; largest_free() returned {got[0]}"


def schedules_largest_free_of_a_long_block(answer):
    allocator, got = answer.Allocator(6), []
    offset = allocator.alloc(4)
    allocator.alloc(2)
    together(lambda: allocator.free(offset), lambda: got.append(allocator.largest_free()))
    assert got[0] in {0, 4}, f"[M5] nothing was free, then 4; largest_free() returned {got[0]}"
