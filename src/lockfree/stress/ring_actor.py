"""What clients do with a ring, whatever their role: tries, and calls that wait."""

import queue
from typing import Any


class RingActor:
    """Base. A subclass has `ring`, and records what it does in `put_by` and `get_by`."""

    ring: Any

    def put_by(self, how: Any) -> None:
        """Makes a record and puts it: how(record, timeout) says whether it went in."""
        raise NotImplementedError

    def get_by(self, how: Any) -> None:
        """Gets a record: how(timeout), None for EMPTY."""
        raise NotImplementedError

    def try_put(self) -> None:
        self.put_by(lambda record, _: self.ring.try_put(record))

    def try_get(self) -> None:
        self.get_by(lambda _: self.ring.try_get())

    def put(self) -> None:
        def waiting(record: bytes, timeout: float) -> bool:
            try:
                self.ring.put(record, timeout=timeout)
            except queue.Full:
                return False
            return True

        self.put_by(waiting)

    def get(self) -> None:
        def waiting(timeout: float) -> Any:
            try:
                return self.ring.get(timeout=timeout)
            except queue.Empty:
                return None

        self.get_by(waiting)


class MessageActor(RingActor):
    """The same for rings whose messages are read in place."""

    def read(self) -> None:
        def in_place(timeout: float) -> Any:
            try:
                with self.ring.read(timeout=timeout) as view:
                    return bytes(view)
            except queue.Empty:
                return None

        self.get_by(in_place)
