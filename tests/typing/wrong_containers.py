"""Uses of the containers that a type checker refuses: each line that ends in `# wrong`, and no other."""

import lockfree


def rings(ring: lockfree.MPMCRing[bytes]) -> None:
    made = lockfree.MPMCRing(8, 16)
    lockfree.MPMCRing("8", 16)  # wrong
    lockfree.MPMCRing(8, 16, start=5)  # wrong
    lockfree.MPMCRing(8, 16, 3)  # wrong
    lockfree.SPSCRing(8, record_size="16")  # wrong
    ring.put("text")  # wrong
    made.put("text")  # wrong
    made.put(5)  # wrong
    made.try_put("text")  # wrong
    made.put_many(["a", "b"])  # wrong
    made.put(b"x", timeout="1")  # wrong
    text: str = made.get()  # wrong
    number: int = ring.get_many(3)  # wrong
    made.get_many("3")  # wrong
    made.shutdown(now=True)  # wrong
    with made.lease() as record:
        record.encode()  # wrong
    made.recover()  # wrong
    made.capacity = 9  # wrong
    made.record_size = 9  # wrong
    print(text, number)


def roles() -> None:
    lockfree.SPSCRing(8, 16).release_role("prodcer")  # wrong
    lockfree.MPMCRing(8, 16).release_role("producer")  # wrong


def priority_queue() -> None:
    queue = lockfree.PriorityQueue(8, 16)
    queue.put(b"text")  # wrong
    queue.put("text", 1)  # wrong
    queue.put(b"text", "1")  # wrong
    queue.put_many([b"a"])  # wrong
    record: bytes = queue.get()  # wrong
    lockfree.PriorityQueue(8, 16, levels="4")  # wrong
    queue.requeue("text", 1)  # wrong
    queue.requeue(b"text")  # wrong
    print(record)
