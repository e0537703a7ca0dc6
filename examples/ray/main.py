"""A Ray cluster of several nodes on this machine: a worker and a node are killed, and every request is answered."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import math
import os
import signal
import statistics
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

STORE = 80 * 2**20
"""Bytes of each node's object store, the least that Ray allows: requests are small."""
UNDER_WAY = 48


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def add_node(cluster: Any) -> Any:
    return cluster.add_node(num_cpus=1, object_store_memory=STORE)


class Clients:
    """Those who ask, in a thread with an event loop of its own."""

    def __init__(self, args: argparse.Namespace) -> None:
        from router import Router

        self.args, self.right, self.spans = args, 0, list[float]()
        self.router = Router(args.nodes, args.workers)
        self.seconds = math.nan

    async def ask_all(self) -> None:
        await self.router.start()
        under_way, began = asyncio.Semaphore(UNDER_WAY), time.perf_counter()
        await asyncio.gather(*(self._ask(number, under_way) for number in range(self.args.requests)))
        self.seconds = time.perf_counter() - began
        await asyncio.gather(*self.router.joining)  # the engine that Ray places again

    async def _ask(self, number: int, under_way: asyncio.Semaphore) -> None:
        from engine import answer

        prompt = b"request %d" % number
        async with under_way:
            began = time.perf_counter()
            got = await self.router.ask(prompt)
            self.spans.append(time.perf_counter() - began)
        self.right += got == answer(prompt)

    def wait_for(self, share: float, asking: Future[None]) -> None:
        """Until so much is answered."""
        while len(self.spans) < share * self.args.requests and not asking.done():
            time.sleep(0.01)


def trouble(clients: Clients, asking: Future[None], cluster: Any, nodes: list[Any]) -> str:
    """Kills a worker when a quarter is answered, a node when half is; then a new node joins. What is wrong, if any."""
    import ray

    first, second = clients.router.engines[:2]
    clients.wait_for(1 / 4, asking)
    _, workers = ray.get(first.start.remote(clients.args.workers))
    os.kill(workers[0], signal.SIGKILL)
    clients.wait_for(1 / 2, asking)
    name, workers = ray.get(second.start.remote(clients.args.workers))
    node = next(node for node in nodes if node.node_id == name)
    cluster.remove_node(node, allow_graceful=False)
    add_node(cluster)
    return "" if gone(workers, 20) else "workers of the node that was killed still run"


def run(args: argparse.Namespace, folder: str) -> int:
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")  # Ray shows the last lines of a node that died
    os.environ["RAY_TMPDIR"] = folder  # otherwise it writes the cluster's address into /tmp/ray, which need not exist
    folder = os.path.join(folder, "ray")
    os.mkdir(folder)
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False, "temp_dir": folder}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        nodes = [add_node(cluster) for _ in range(args.nodes)]
        here = {"working_dir": str(Path(__file__).parent)}  # sent to every node
        ray.init(address=cluster.address, runtime_env=here, logging_level="ERROR", log_to_driver=False)
        cluster.wait_for_nodes()
        clients = Clients(args)
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(asyncio.run, clients.ask_all())
            wrong = trouble(clients, asking, cluster, nodes)
            asking.result()
        replaced = ray.get(clients.router.engines[0].replaced.remote())
    finally:
        ray.shutdown()
        cluster.shutdown()
    router, median = clients.router, statistics.median(clients.spans) * 1e3
    print(f"{clients.right:,} of {args.requests:,} requests answered rightly by {args.nodes} nodes")
    print(f"{args.requests / clients.seconds:,.0f} requests/s, half of them within {median:.1f} ms")
    print(f"by engine: {', '.join(f'{count:,}' for count in router.answered.values())}")
    print(f"workers killed and replaced: {replaced}")
    print(f"nodes killed and replaced: 1; requests asked again: {router.asked_again}")
    if wrong:
        print(f"WRONG: {wrong}")
    return int(clients.right != args.requests or replaced != 1 or bool(wrong))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=3, help="at least 2 (default: 3)")
    parser.add_argument("--workers", type=int, default=2, help="processes of an engine, at least 1 (default: 2)")
    parser.add_argument("--requests", type=int, default=2000, help="at least 1 (default: 2,000)")
    args = parser.parse_args()
    for name, least in (("nodes", 2), ("workers", 1), ("requests", 1)):
        if getattr(args, name) < least:
            parser.error(f"--{name} is {getattr(args, name)}: it must be at least {least}")
    if importlib.util.find_spec("ray") is None:
        parser.error("this example needs Ray: pip install 'lockfree[ray]'")
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        return run(args, folder)


if __name__ == "__main__":
    sys.exit(main())
