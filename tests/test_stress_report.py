"""The report of a stress run: what it says, that a phone can read it, and what it knows of the machine."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from patience import STUCK

from lockfree._native.stress import lib
from lockfree.linearizability import Operation
from lockfree.machine import topology
from lockfree.stress.campaign import Campaign, Tally
from lockfree.stress.checking import Checked
from lockfree.stress.figures import NAMES, OperationFigures
from lockfree.stress.load import LoadSampler, read_stat
from lockfree.stress.report import COLOURED, write
from lockfree.stress.rounds import Limits, make_round
from lockfree.stress.scenario import load

STYLE = Path(__file__).parent.parent / "src/lockfree/_page/colours.css"
COMMAND = "lockfree stress --procs 3 --seconds 5 --seed 9 --out 'my folder'"


def figures(count, refused):
    found = OperationFigures(count=count, refused=refused, longest_ns=3_000_000)
    found.latencies = {lib.lf_stress_bucket(70): count - 9, lib.lf_stress_bucket(2_000_000): 9}
    return found


def stat(*cpus):
    """/proc/stat with (user, system, idle, steal) ticks for each processor."""
    lines = ["cpu  1 2 3 4 5 6 7 8 9 10"]
    lines += [
        f"cpu{n} {user} 0 {system} {idle} 0 0 0 {steal} 0 0" for n, (user, system, idle, steal) in enumerate(cpus)
    ]
    return "\n".join([*lines, "intr 5 0 0", "ctxt 7"])


def sampler(*texts):
    seen, at = iter(texts), iter(range(100))
    found = LoadSampler(cpus=[0, 1], read=lambda: next(seen), clock=lambda: float(next(at)))
    for _ in texts:
        found.sample()
    return found


@pytest.fixture
def campaign(tmp_path):
    """A run in which everything occurred: refusals, kills, a violation whose text looks like markup."""
    scenarios = load()
    found = Campaign(list(scenarios.values()), Limits(3, 9, kill=True), 5.0, "fork", tmp_path, elapsed=5.2)
    found.load = sampler(stat((0, 0, 0, 0), (0, 0, 0, 0)), stat((60, 20, 20, 0), (10, 0, 65, 25)))
    for name, scenario in scenarios.items():
        tally = found.tallies[name] = Tally(name, 3, rounds=4, operations=1000, running=1.5, killed=2)
        for call in scenario.refusals or {"load": ()}:
            tally.figures.operations[call] = figures(1000, 300 if scenario.refusals else 0)
        tally.figures.bins = {0: 200, 3: 800}
    about = make_round(scenarios["mpmc_ring"], 3, Limits(3, 9))
    window = [Operation(0, "put", 1 << 40 | 5, True, 100, 200), Operation(1, "get", None, None, 250, 300)]
    reason = "get: EMPTY </pre><script>alert(1)</script>"
    found.tallies["mpmc_ring"].failures.append(
        Checked(about, "VIOLATION", reason, window=window, history_file="x.jsonl")
    )
    return found


@pytest.fixture
def page(campaign, tmp_path):
    return write(campaign, tmp_path, COMMAND).read_text()


class Outline(HTMLParser):
    """Opens and closes, and complains."""

    VOID = {"meta", "br", "line", "polyline"}

    def __init__(self):
        super().__init__()
        self.open, self.text, self.wrong = [], [], []

    def handle_starttag(self, tag, _attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_says_what_made_it(page):
    outline = Outline()
    outline.feed(page)
    assert not outline.wrong
    assert outline.open == []
    text = " ".join(" ".join(outline.text).split())
    assert COMMAND in text
    assert "get: EMPTY </pre><script>alert(1)</script>" in text, "the reason is text, not markup"
    assert "seed 9" in text
    assert "VIOLATION" in text
    assert "http" not in page, "it needs no network"


def test_every_refusal_is_explained(page):
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    for scenario in load().values():
        for call, (word, why) in scenario.refusals.items():
            assert f"{call} refused: {word}, {why}." in text
    assert "30.0% FULL" in text


def test_every_call_that_can_be_refused_says_what_it_means():
    """Refusals that a short run meets: tests/test_stress.py runs one, and these are all kinds of it."""
    refusable = {
        "mpmc_ring": {"put", "get"}, "spsc_ring": {"put", "get"}, "priority_queue": {"put", "get"},
        "semaphore": {"acquire", "release"}, "mutex": {"acquire", "release"}, "spinlock": {"acquire", "release"},
    }  # fmt: skip
    known = load()
    for name, calls in refusable.items():
        assert calls <= set(known[name].refusals), name
    assert all(set(scenario.refusals) <= set(NAMES.values()) for scenario in known.values())


def themes():
    light, dark = re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#\w+)", theme)) for theme in (light, dark)]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_one_colour_has_one_meaning(theme):
    calls = {name: theme[f"call-{name}"] for name in COLOURED}
    assert set(COLOURED) == set(NAMES.values())
    reserved = [theme[name] for name in ("good", "bad", "open", "data", "ink")]
    assert len(set(calls.values()) | set(reserved)) == len(calls) + len(reserved)


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_text_stands_out_from_its_ground(theme):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    pairs = [
        ("ink", "card"),
        ("soft", "card"),
        ("soft", "page"),
        ("good", "good-bg"),
        ("bad", "bad-bg"),
        ("open", "open-bg"),
    ]
    for text, ground in pairs:
        low, high = sorted([luminance(theme[text]), luminance(theme[ground])])
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {ground}"
    for name in COLOURED:
        low, high = sorted([luminance(theme[f"call-{name}"]), luminance(theme["card"])])
        assert (high + 0.05) / (low + 0.05) >= 2.6, name


def test_labels_do_not_shrink_with_the_charts(page):
    assert "<text" not in page, "text inside a chart that stretches is unreadable on a phone"
    assert page.count('class="tick tx') >= 7


MEASURE = """<!doctype html><body><iframe style="width:390px;height:900px" srcdoc="%s"></iframe><pre id="out"></pre><script>
document.querySelector("iframe").onload = e => {
  const d = e.target.contentDocument, w = e.target.contentWindow, sizes = [], cut = [];
  for (const t of d.querySelectorAll(".tick, .figure, td, th, p, li, pre")) {
    const s = w.getComputedStyle(t), box = t.getBoundingClientRect();
    if (s.display == "none" || !box.width) continue;
    sizes.push(parseFloat(s.fontSize));
    if (t.matches(".tick") && (box.left < 0 || box.right > 390)) cut.push(t.textContent);
  }
  const hidden = [...d.querySelectorAll(".scroll")].filter(b => b.scrollWidth > b.clientWidth + 1);
  const told = hidden.filter(b => w.getComputedStyle(b.previousElementSibling).display != "none");
  const ticks = [...d.querySelectorAll(".plot")].map(p => [...p.querySelectorAll(".tx")]
    .map(t => t.getBoundingClientRect()).filter(r => r.width));
  const overlap = ticks.some(row => row.some((r, i) => i && row[i - 1].right > r.left));
  out.textContent = JSON.stringify({width: d.documentElement.scrollWidth, least: Math.min(...sizes), cut, overlap,
    wide: hidden.length, told: told.length});
}
</script>"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_a_phone_can_read_it(page, tmp_path):
    (tmp_path / "measure.html").write_text(MEASURE % html.escape(page))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    command += ["--virtual-time-budget=3000", "--dump-dom", f"file://{tmp_path}/measure.html"]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=STUCK).stdout
    seen = json.loads(html.unescape(re.search(r'<pre id="out">(.*?)</pre>', dom)[1]))
    assert seen["width"] <= 390, "the page itself does not scroll sideways"
    assert seen["least"] >= 12
    assert seen["cut"] == []
    assert not seen["overlap"]
    assert seen["wide"] > 3
    assert seen["told"] == seen["wide"], "a table that is cut off says so"


def test_results_carry_the_machine_and_its_load(campaign, tmp_path):
    write(campaign, tmp_path, COMMAND)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["command"] == COMMAND
    assert results["machine"]["topology"]
    first, second = results["load"]["cpus"]
    assert (first["user"], first["system"], first["steal"]) == (0.6, 0.2, 0)
    assert (second["user"], second["steal"]) == (0.1, 0.25)
    assert results["load"]["cpu_seconds_of_everybody"] == 0.9


# ---- load and topology ----


def test_load_is_what_the_kernel_counted():
    found = sampler(
        stat((0, 0, 0, 0), (5, 5, 5, 5)), stat((50, 0, 0, 0), (5, 5, 55, 5)), stat((50, 0, 50, 0), (55, 5, 55, 5))
    )
    first, second = found.loads()
    assert (first.busy, second.busy) == (0.5, 0.5)
    assert first.over_time == [(1.0, 1.0), (2.0, 0.0)]
    assert second.over_time == [(1.0, 0.0), (2.0, 1.0)]


def test_load_is_sampled_no_oftener_than_it_changes():
    times = iter([0.0, 0.1, 0.4, 0.6, 0.7, 0.7])
    reads = []
    found = LoadSampler(
        cpus=[0], read=lambda: reads.append(1) or stat((len(reads), 0, 0, 0)), clock=lambda: next(times)
    )
    for now in (False, False, False, False, False, True):
        found.sample(now=now)
    assert len(reads) == 3  # at 0.0, 0.6, and when told to


def test_a_system_that_says_nothing_has_no_load():
    assert sampler("", "").loads() == []
    assert read_stat("cpu0 1 2\ngarbage\n\n") == {}


def tree(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")


@pytest.fixture
def two_sockets(tmp_path):
    """Two sockets of two cores of two threads."""
    files = {}
    for n in range(8):
        socket, core = n % 4 // 2, n % 2
        at = f"cpu/cpu{n}"
        files[f"{at}/topology/physical_package_id"] = str(socket)
        files[f"{at}/topology/core_id"] = str(core)
        files[f"{at}/topology/thread_siblings_list"] = f"{n % 4},{n % 4 + 4}"
        files[f"{at}/node{socket}/x"] = ""
        for index, (level, kind, size, by) in enumerate(
            [("1", "Data", "32K", f"{n % 4},{n % 4 + 4}"), ("3", "Unified", "16384K", f"{2 * socket}-{2 * socket + 1}")]
        ):
            cache = f"{at}/cache/index{index}"
            files |= {
                f"{cache}/level": level,
                f"{cache}/type": kind,
                f"{cache}/size": size,
                f"{cache}/shared_cpu_list": by,
            }
    tree(tmp_path, files)
    return tmp_path


def test_topology(two_sockets):
    found = topology.cpus(two_sockets, set(range(8)))
    assert topology.summary(found) == "8 logical processors on 4 cores (2 threads each), 2 sockets, 2 memory nodes"
    assert found[6].place() == "core 0, socket 1, memory node 1: "
    assert [str(c) for c in topology.caches(two_sockets, set(range(8)))] == [
        "L1d 32K (4 of them)",
        "L3 16384K (2 of them)",
    ]
    few = topology.cpus(two_sockets, {0, 1})
    assert topology.summary(few) == "2 logical processors on 2 cores, 1 socket, 1 memory node"


def test_topology_of_a_system_that_says_nothing(tmp_path):
    found = topology.cpus(tmp_path, {0, 3})
    assert topology.summary(found) == "2 logical processors"
    assert found[0].place() == ""
    assert topology.caches(tmp_path, {0}) == []


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_the_limit_of_a_container(files, limit, tmp_path):
    tree(tmp_path, files)
    assert topology.quota(tmp_path) == limit
