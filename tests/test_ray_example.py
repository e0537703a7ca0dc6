"""examples/ray: an engine inside a node answers though its workers are killed; a cluster does though a node is."""

import asyncio
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import STUCK

ROOT = Path(__file__).parent.parent
HERE = ROOT / "examples" / "ray"


@pytest.fixture(scope="module")
def engine():
    """The module engine.py, without Ray."""
    others = {name: sys.modules.pop(name) for name in ("engine",) if name in sys.modules}
    sys.path.insert(0, str(HERE))
    try:
        yield __import__("engine")
    finally:
        sys.path.remove(str(HERE))
        sys.modules.pop("engine", None)
        sys.modules.update(others)


async def until(condition):
    while not condition():  # noqa: ASYNC110 (processes change it)
        await asyncio.sleep(0.001)


def asks_and_kills(engine, kills, patience=STUCK, **options):
    """How many of 100 requests are answered rightly, and how many workers were replaced: all of them are killed so often."""

    async def run():
        running, answers = engine.Engine(2, **options), []

        async def ask(prompt):
            answers.append(await running.ask(prompt) == engine.answer(prompt))

        asking = [asyncio.create_task(ask(b"request %d" % n)) for n in range(100)]
        for n in range(kills):
            await until(lambda n=n: len(answers) >= 10 + 80 * n // kills)
            pids = [process.pid for process in running.workers]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)  # at some instruction
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            await until(lambda n=n: running.replaced == 2 * n + 2)
        await asyncio.wait(asking, timeout=patience)
        for task in asking:
            task.cancel()
        await running.close()
        return sum(answers), running.replaced

    return asyncio.run(run())


def test_every_request_is_answered_though_workers_are_killed(engine):
    assert asks_and_kills(engine, 4) == (100, 8)


def work_without_a_lease(requests, answers):
    """What examples/ray/engine.py must not do: a request is out of the ring before its answer is there."""
    import engine

    while True:
        record = requests.get()
        time.sleep(0.01)  # so a kill meets a request on its way, however late it comes
        answers.put(record[: engine.NUMBER.size] + engine.answer(record[engine.NUMBER.size :]))


def test_a_worker_that_takes_without_a_lease_loses_requests(engine):
    answered, replaced = asks_and_kills(engine, 4, patience=2, target=work_without_a_lease)
    assert replaced == 8
    assert answered < 100


def test_a_prompt_that_is_too_long_is_refused(engine):
    async def ask():
        running = engine.Engine(1)
        try:
            await running.ask(bytes(257))
        finally:
            await running.close()

    with pytest.raises(ValueError, match="the prompt has 257 bytes: at most 256 are allowed"):
        asyncio.run(ask())


def test_workers_end_with_their_engine(engine):
    code = """if True:
        import asyncio, engine, os, sys
        async def main():
            running = engine.Engine(2)
            await running.ask(b"")
            print(*(process.pid for process in running.workers), flush=True)
            os._exit(9)
        if __name__ == "__main__":
            asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, timeout=STUCK)
    assert done.returncode == 9, done.stderr  # and its pipe was closed by all: nobody holds it any more
    for pid in done.stdout.split():
        assert not Path(f"/proc/{pid}").exists() or ") Z " in Path(f"/proc/{pid}/stat").read_text()


def main(*words):
    return subprocess.run([sys.executable, str(HERE / "main.py"), *words], capture_output=True, text=True, timeout=600)


def test_options_out_of_range_are_refused():
    done = main("--nodes=1")
    assert done.returncode == 2
    assert "--nodes is 1: it must be at least 2" in done.stderr


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_example_says_what_it_needs():
    done = main()
    assert done.returncode == 2
    assert "this example needs Ray: pip install 'lockfree[ray]'" in done.stderr


def test_the_guide_shows_what_the_example_does():
    shown = re.findall(r"^```py\n(.*?)^```", (ROOT / "docs/guides/ray.md").read_text(), re.MULTILINE | re.DOTALL)
    assert shown
    code = [re.sub(r"^ +", "", path.read_text(), flags=re.MULTILINE) for path in HERE.glob("*.py")]
    for block in shown:
        assert any(re.sub(r"^ +", "", block, flags=re.MULTILINE) in text for text in code), block


@pytest.mark.soak
def test_a_node_is_killed_and_every_request_is_answered():
    pytest.importorskip("ray", reason="the cluster of examples/ray needs Ray: pip install 'lockfree[ray]'")
    done = main("--requests=1000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1,000 of 1,000 requests answered rightly by 3 nodes" in done.stdout
    assert "workers killed and replaced: 1\n" in done.stdout
    asked_again = re.search(r"nodes killed and replaced: 1; requests asked again: (\d+)", done.stdout)
    assert int(asked_again[1]) > 0, "the node had nothing to do when it was killed"
