"""Between nodes: Ray places one engine on each node, and carries requests to them and answers back."""

from __future__ import annotations

import asyncio
from typing import Any

import ray
from engine import Engine
from ray.exceptions import RayActorError
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy


@ray.remote
class Node:
    """One node's engine, as Ray sees it. Ray starts it again elsewhere when its node has died."""

    async def start(self, workers: int) -> tuple[str, list[int]]:
        """Starts the engine, if it does not run. The node's id, and the process ids of the workers."""
        if not hasattr(self, "engine"):
            self.engine = Engine(workers)
            await self.engine.ask(b"")  # until a worker runs
        return ray.get_runtime_context().get_node_id(), [process.pid for process in self.engine.workers]

    async def ask(self, prompt: bytes) -> bytes:
        return await self.engine.ask(prompt)

    async def replaced(self) -> int:
        """How many workers died, and were replaced."""
        return self.engine.replaced


class Router:
    """Sends each request to the engine that has the fewest. If that one dies, the request goes to another."""

    def __init__(self, nodes: int, workers: int) -> None:
        self.workers = workers
        self.group = placement_group([{"CPU": 1}] * nodes, strategy="STRICT_SPREAD")  # one on each node
        self.engines = [self._place(bundle) for bundle in range(nodes)]
        self.load: dict[Any, int] = {}
        """Requests under way, by engine. An engine whose node is gone is not in it."""
        self.answered = dict.fromkeys(self.engines, 0)
        self.asked_again = 0
        self.joining: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()

    def _place(self, bundle: int) -> Any:
        where = PlacementGroupSchedulingStrategy(self.group, placement_group_bundle_index=bundle)
        how = {"num_cpus": 1, "max_restarts": -1, "max_concurrency": 1000, "scheduling_strategy": where}
        return Node.options(**how).remote()

    async def start(self) -> None:
        await asyncio.gather(*map(self._join, self.engines))

    async def ask(self, prompt: bytes) -> bytes:
        """The answer. An engine that dies may have done the work already: answers must not depend on how often."""
        while True:
            engine = await self._least_loaded()
            self.load[engine] += 1
            try:
                answer: bytes = await engine.ask.remote(prompt)
            except RayActorError:  # its node died, or cannot be reached
                self.asked_again += 1
                self._lost(engine)
            else:
                self.answered[engine] += 1
                return answer
            finally:
                if engine in self.load:
                    self.load[engine] -= 1

    async def _least_loaded(self) -> Any:
        while not self.load:
            self.changed.clear()
            await self.changed.wait()
        return min(self.load, key=self.load.__getitem__)

    def _lost(self, engine: Any) -> None:
        if self.load.pop(engine, None) is not None:
            task = asyncio.create_task(self._join(engine))
            self.joining.add(task)
            task.add_done_callback(self.joining.discard)

    async def _join(self, engine: Any) -> None:
        """Waits until Ray has placed the engine, on a node that is free, and its workers run."""
        while True:
            try:
                await engine.start.remote(self.workers)
            except RayActorError:
                await asyncio.sleep(0.2)
            else:
                self.load[engine] = 0
                self.changed.set()
                return
