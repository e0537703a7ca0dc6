"""The example engine: its tokens are those of a model that runs alone, whatever is batched, shared, preempted or killed."""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lockfree

ENGINE = Path(__file__).parent.parent / "examples" / "engine"


@pytest.fixture(scope="module")
def engine():
    """The modules of the engine, imported as its main.py imports them."""
    names = ("frontend", "messages", "model", "scheduler", "traffic", "worker")
    sys.path.insert(0, str(ENGINE))
    try:
        yield SimpleNamespace(**{name: __import__(name) for name in names})
    finally:
        sys.path.remove(str(ENGINE))
        for name in (*names, "board"):
            sys.modules.pop(name, None)


def dense_logits(model, m, tokens):
    """The last token's logits as a textbook computes them: all scores in one matrix, float64."""
    rows = model.embedding[tokens].astype(np.float64)
    count = len(tokens)
    at, before = np.arange(count)[:, None], np.arange(count)[None]
    visible = (before <= at) & (before > at - m.WINDOW)

    def norm(x):
        return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5)

    def turned(x):
        cosine, sine = model.cosine[:count, None], model.sine[:count, None]
        left, right = np.split(x, 2, axis=2)
        return np.concatenate([left * cosine - right * sine, left * sine + right * cosine], axis=2)

    for mix, out, up, down in model.layers:
        query, key, value = (norm(rows) @ mix).reshape(count, 3, m.HEADS, m.HEAD).transpose(1, 0, 2, 3)
        scores = np.einsum("thd,shd->hts", turned(query), turned(key)) / np.sqrt(m.HEAD)
        scores = np.where(visible, scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        rows = rows + np.einsum("hts,shd->thd", weights, value).reshape(count, m.WIDTH) @ out
        gate, signal = np.split(norm(rows) @ up, 2, axis=1)
        rows = rows + (gate / (1 + np.exp(-gate)) * signal) @ down
    return (norm(rows[-1:]) @ model.head)[0]


@pytest.mark.parametrize("length", [1, 15, 16, 17, 200, 300])
def test_the_model_over_pages_is_the_textbook_model(engine, length):
    m = engine.model
    model, rng = m.Model(), np.random.default_rng(length)
    tokens = rng.integers(1, m.VOCABULARY, length)
    table = rng.permutation(40)[: m.blocks_for(length)]
    cache = rng.standard_normal(m.cache_shape(40)).astype(np.float32)  # what was there before does not show
    logits = model.step(cache, [m.Span(tokens, 0, table)])[0]
    np.testing.assert_allclose(logits, dense_logits(model, m, tokens), rtol=1e-3, atol=1e-3)


class Direct:
    """A transport without processes: a step is done when its results are asked for."""

    def __init__(self, engine, cache, orders, cancel_at):
        self.engine, self.cache, self.model = engine, cache, engine.model.Model()
        self.orders, self.cancel_at, self.steps, self.rows = orders, cancel_at, [], []
        self.asked_in_vain = 0
        self.clock, self.numbers = 0, len({engine.messages.unpack_request(order).number for order in orders if order})

    def cancelled(self):
        self.clock += 1
        return self.cancel_at.pop(self.clock, [])

    def next_request(self, seconds):
        return self.orders.pop(0) if self.orders else None

    def broadcast(self, step, ranks):
        self.steps += [(step, rank) for rank in ranks]

    def results(self, seconds):
        if self.ended():  # the workers have gone, too
            self.asked_in_vain += 1
            assert self.asked_in_vain < 20
            return []
        step, rank = self.steps.pop(0)
        return self.engine.worker.outcomes(*self.engine.messages.unpack_step(step, rank), self.model, self.cache)

    def stream(self, frontend, tokens):
        room = 1 + self.clock % 7  # a stream that is nearly full
        self.rows += tokens[:room].tolist()
        return min(room, len(tokens))

    def ended(self):  # the front ends are gone when they have all answers
        return len({row[0] for row in self.rows if row[3] != self.engine.messages.GOES_ON}) == self.numbers


class Counters:
    def __init__(self):
        self.counts = {}

    def add(self, **counts):
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count

    def set(self, **values):
        self.counts.update(values)


def serve(engine, requests, blocks, cancel_at=(), workers=2):
    """Answers by request number, and the counters."""
    cache = np.zeros(engine.model.cache_shape(blocks), np.float32)
    direct = Direct(engine, cache, [r and engine.messages.pack_request(r) for r in requests], dict(cancel_at))
    with lockfree.BlockPool(blocks) as pool:
        scheduler = engine.scheduler.Scheduler(direct, pool, workers, counters := Counters())
        scheduler.run()
        while any(scheduler.outbox.values()):
            scheduler._send()
        assert pool.available == blocks
    answers, ends = {r.number: [] for r in requests if r}, {}
    for number, index, token, last in direct.rows:
        if number in ends:
            continue  # asked again, after the end
        if token >= 0:
            assert index == len(answers[number])  # in order, each once
            answers[number].append(token)
        if last != engine.messages.GOES_ON:
            ends[number] = last
    return answers, ends, counters.counts


def alone(engine, request):
    m = engine.model
    return m.generate(m.Model(), request.prompt, request.most, request.seed, request.temperature)


def test_every_answer_is_that_of_a_model_alone_under_memory_pressure(engine):
    requests = [engine.traffic.request(5, number, 2) for number in range(24)]
    answers, ends, counts = serve(engine, requests, 64)
    assert counts["preemptions"] > 0
    assert counts["shared"] > 0
    for request in requests:
        assert answers[request.number] == alone(engine, request)
        assert ends[request.number] == engine.messages.COMPLETE


def test_a_prompt_longer_than_the_window_frees_what_lies_behind_it(engine):
    m = engine.model
    request = engine.traffic.request(5, 0, 1)
    prompt = np.random.default_rng(1).integers(1, m.VOCABULARY, 400)
    request = request._replace(prompt=prompt, most=100, seed=3, temperature=1.0)
    answers, _, _ = serve(engine, [request], 64)
    assert answers[0] == alone(engine, request)


def test_a_cancelled_request_ends_and_gives_its_blocks_back(engine):
    requests = [engine.traffic.request(6, number, 2)._replace(most=60, temperature=0.9) for number in range(6)]
    answers, ends, _ = serve(engine, requests, 128, {3: [0], 4: [1], 5: [2], 1: [5]})
    for number in (0, 1, 2, 5):
        assert ends[number] == engine.messages.CANCELLED
        assert answers[number] == alone(engine, requests[number])[: len(answers[number])]
    for number in (3, 4):
        assert answers[number] == alone(engine, requests[number])


def test_a_request_that_is_asked_again_after_its_cancellation_keeps_no_run_from_ending(engine):
    """By the successor of a front end that died after it had cancelled: nobody waits for this answer."""
    again, other = (engine.traffic.request(6, n, 2)._replace(most=60 - 40 * n, temperature=0.9) for n in (0, 1))
    answers, ends, _ = serve(engine, [again, other, None, None, None, again], 128, {3: [0]})
    assert ends == {0: engine.messages.CANCELLED, 1: engine.messages.COMPLETE}
    assert answers[1] == alone(engine, other)


@pytest.mark.parametrize("fault", ["takes every block for the same", "frees too much behind the window"])
def test_a_wrong_scheduler_gives_other_tokens(engine, fault, monkeypatch):
    s = engine.scheduler
    if fault.startswith("takes"):
        monkeypatch.setattr(s, "RUNNING", 2)
        monkeypatch.setattr(s.PrefixCache, "chain", staticmethod(lambda prompt: [0] * (len(prompt) // 16)))
        requests = [engine.traffic.request(5, number, 2) for number in range(12)]
    else:
        monkeypatch.setattr(s, "WINDOW", 64)
        requests = [engine.traffic.request(5, 0, 1)._replace(prompt=np.arange(300) % 250 + 1, most=40, temperature=1.0)]
    answers, _, _ = serve(engine, requests, 128)
    assert any(answers[r.number] != alone(engine, r) for r in requests)


def test_urgency_goes_by_the_deadline(engine):
    level_of = engine.traffic.level_of
    assert [level_of(patience) for patience in (0.0, 0.25, 0.49, 0.5, 1.0, 31.9, 1e9)] == [0, 0, 0, 1, 2, 6, 7]


def run_engine(*words):
    main, narrow = str(ENGINE / "main.py"), {**os.environ, "COLUMNS": "80"}
    done = subprocess.run([sys.executable, main, *words], capture_output=True, text=True, timeout=900, env=narrow)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "…" not in done.stdout, "the table fits into 80 columns"
    return done.stdout


def test_a_worker_and_a_front_end_are_killed_and_every_request_is_answered():
    said = run_engine("--requests=60", "--check=60", "--blocks=96")
    assert "all 60 answered" in said
    assert "60 answers equal the model's own" in said
    assert "killed and replaced: worker 0, frontend 0" in said


def test_ctrl_c_ends_a_run_and_leaves_nothing():
    screen, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    words = [sys.executable, str(ENGINE / "main.py"), "--model=bigram", "--short=8", "--requests=5000", "--kill="]
    environment, shown = os.environ | {"TERM": "xterm"}, b""
    with subprocess.Popen(words, stdout=terminal, stderr=terminal, env=environment, start_new_session=True) as process:
        os.close(terminal)
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while part := os.read(screen, 65536):
                ended = b"requests answered" in shown
                shown += part
                if not ended and b"requests answered" in shown:
                    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(60) == 130, shown.decode()
    os.close(screen)
    assert "0 ░░░░░░░░░░" in shown.decode()  # nothing is in use before the scheduler says so
    assert "interrupted; left in /dev/shm: nothing" in shown.decode()
    assert "Traceback" not in shown.decode()


def processes_below(pid):
    """The processes of an engine, in the order in which they were started: first the scheduler."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                command = (entry / "cmdline").read_bytes()
                found += [int(entry.name)] if b"spawn_main" in command else []
    return sorted(found)


def runs(pid):
    """No, if it has ended and only waits for its new parent, which may be this process, to ask for its status."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False


@pytest.mark.parametrize("who", ["the supervisor", "the scheduler"])
def test_a_killed_supervisor_or_scheduler_ends_all_and_leaves_nothing(who):
    words = [sys.executable, ENGINE / "main.py", "--requests", "100000", "--model", "bigram", "--check", "1"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as main:
        while len(started := processes_below(main.pid)) < 5:
            assert main.poll() is None
            time.sleep(0.05)
        maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in (main.pid, *started))
        mine = {line.partition("/dev/shm/")[2] for line in maps.splitlines() if "/dev/shm/" in line}
        os.kill(main.pid if who == "the supervisor" else started[0], signal.SIGKILL)
        error = main.stderr.read()  # ends when all of them have ended
        assert main.wait() != 0
    assert who == "the supervisor" or "scheduler ended with status -9" in error
    while any(map(runs, started)) or mine & set(os.listdir("/dev/shm")):
        time.sleep(0.05)


def test_a_line_that_a_killed_front_end_did_not_end_is_asked_again(engine, tmp_path):
    path = tmp_path / "answers"
    path.write_bytes(b'{"number": 1, "tokens": []}\n{"number": 2, "tok')  # the kernel cuts a write between two pages
    engine.frontend.cut_off(path)
    assert list(engine.frontend.answered(path)) == [1]
    with path.open("ab") as file:
        file.write(b'{"number": 2, "tokens": [3]}\n')
    assert engine.frontend.answered(path)[2]["tokens"] == [3]
    engine.frontend.cut_off(path)
    assert list(engine.frontend.answered(path)) == [1, 2]
    engine.frontend.cut_off(tmp_path / "no answers yet")


@pytest.mark.parametrize(("told", "tokens"), [({0: 7, 1: 8}, [7, 8]), ({2: 9, 3: 4}, []), ({0: 7, 2: 9}, [7])])
def test_a_cancelled_answer_has_no_gap(engine, told, tokens):
    client = engine.frontend.Client(engine.traffic.request(7, 216, 2))
    for index, token in told.items():
        client.take(index, token, engine.messages.GOES_ON)
    client.take(5, -1, engine.messages.CANCELLED)  # by its predecessor, which was told the tokens before
    assert client.ended.is_set()
    assert client.tokens == tokens


def test_the_bigram_model_depends_on_the_last_token_alone(engine):
    m, spans = engine.model, [engine.model.Span(np.array(tokens), 0, None) for tokens in ([5, 9], [7, 7, 9], [9, 5])]
    logits = m.Bigram().step(None, spans)
    assert np.array_equal(logits[0], logits[1])
    assert not np.array_equal(logits[0], logits[2])
    shorter = [engine.traffic.request(5, number, 2, 8) for number in range(50)]
    longer = [engine.traffic.request(5, number, 2) for number in range(50)]
    assert sum(len(r.prompt) for r in shorter) * 4 < sum(len(r.prompt) for r in longer)


@pytest.mark.soak
@pytest.mark.parametrize("transport", ["lockfree", "multiprocessing"])
def test_short_requests_to_the_bigram_model(transport):
    said = run_engine(f"--transport={transport}", "--model=bigram", "--short=8", "--requests=300", "--check=300")
    assert "all 300 answered" in said
    assert "300 answers equal the model's own" in said


def test_a_file_that_is_left_in_shared_memory_is_found_and_those_of_others_are_not_counted():
    code = """if True:
        import sys; sys.path.insert(0, sys.argv[1])
        import main, mmap, multiprocessing, os

        def used(path):
            file = open(path, "xb+")
            file.write(bytes(8))
            file.flush()
            return mmap.mmap(file.fileno(), 8)

        def work(path, ready, over):
            mapped = used(path)
            ready.set()
            over.wait()

        def names(paths):
            return {os.path.basename(path) for path in paths}

        fork = multiprocessing.get_context("fork")
        before, own, childs, others = (f"/dev/shm/left-{which}-{os.getpid()}" for which in range(4))
        mapped, ready, over = used(before), fork.Event(), fork.Event()
        named = main.Named()
        mine = used(own)
        open(others, "xb").close()  # another program's: nobody here has it mapped
        child = fork.Process(target=work, args=(childs, ready, over))
        child.start()
        ready.wait()
        named.look()
        over.set()
        child.join()
        mine.close()
        try:
            assert named.left(0) == names([own, childs]), named.left(0)
            os.unlink(childs)
            assert named.left(0) == names([own]), named.left(0)
        finally:
            for path in {before, own, childs, others}:
                if os.path.exists(path):
                    os.unlink(path)
        assert not named.left(0)
    """
    subprocess.run([sys.executable, "-c", code, str(ENGINE)], check=True)


@pytest.mark.soak
def test_thousands_of_requests():
    pytest.importorskip("zmq")
    run_engine("--requests=3000", "--check=3000", "--blocks=128", "--workers=3", "--frontends=3")
    run_engine("--transport=all", "--requests=1000")
    run_engine("--transport=all", "--model=bigram", "--short=8", "--requests=2000")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("--blocks=8", "--blocks is 8: it must be at least 64"),
        ("--seed=-1", "--seed is -1: it must be at least 0"),
        ("--rate=-1", "--rate is -1: it must be a number of at least 0"),
        ("--rate=nan", "--rate is nan: it must be a number of at least 0"),
        ("--transport=multiprocessing --kill=worker", "--kill goes with --transport lockfree alone"),
    ],
)
def test_options_out_of_range_are_refused(words, text):
    command = [sys.executable, str(ENGINE / "main.py"), *words.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert text in done.stderr
