"""The orders that the timeline shows, and the page itself in a real browser."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from linearizability.brute import model_of
from linearizability.generate import history as random_history
from lockfree.linearizability import History, Operation, check, parse_spec
from lockfree.linearizability.cli import main
from lockfree.linearizability.importers import from_jepsen
from lockfree.linearizability.orders import explained, find_orders
from lockfree.linearizability.timeline import html

CORPUS = Path(__file__).parents[2] / "stress" / "corpus"


def _holds(rows, order, model):
    """The order respects the intervals, leaves out nothing that had returned, and the plain model walks along it."""
    states = {model.init}
    place = {i: k for k, i in enumerate(order)}
    for k, i in enumerate(order):
        states = {after for s in states for after in model.step(s, rows[i])}
        if not states:
            return False
        for j, o in enumerate(rows):
            if o.return_ is not None and o.return_ < rows[i].call and place.get(j, len(order)) > k:
                return False
    return True


@pytest.mark.parametrize(
    "spec",
    ["queue", "bounded-queue:2", "stack", "priority-queue", "register", "counter", "semaphore:2", "mutex", "rwlock", "set", "log"],
)  # fmt: skip
def test_the_orders_are_orders(spec):
    parsed, model = parse_spec(spec), model_of(spec)
    whole = 0
    for seed in range(60):
        rows = random_history(spec, seed, ops=6, equal=seed % 3 == 0)
        history = History.from_operations(rows)
        found = find_orders(history, range(len(rows)), parsed)
        assert found.complete
        verdict = check(rows, parsed, counterexample=False)
        assert all(o.whole for o in found.orders) or verdict.status == "VIOLATION"
        if verdict.ok and rows:
            assert found.orders or all(o.return_ is None for o in rows)
            whole += 1
            for order in explained(history, parsed).orders:
                assert order.whole
                assert _holds(rows, order.operations, model), (seed, rows, order)
        for i, number in found.of.items():
            order = found.orders[number]
            assert i in order.operations
            assert len(order.states) == len(order.operations)
            assert _holds(rows, order.operations, model), (seed, rows, order)
    assert whole > 5


def test_states_before_and_after():
    rows = [
        Operation(0, "put", 1, True, 0, 5),
        Operation(1, "put", 2, True, 6, 9),
        Operation(0, "get", None, 1, 10, 12),
    ]
    order = find_orders(History.from_operations(rows), range(3), parse_spec("queue")).orders[0]
    assert (order.before, order.states, order.whole) == ("[]", ["[1]", "[1, 2]", "[2]"], True)


def test_an_order_begins_where_the_counterexample_does():
    rows = [Operation(0, "get", None, 7, 10, 12), Operation(0, "get", None, 9, 13, 15)]
    order = find_orders(History.from_operations(rows), range(2), parse_spec("queue"), start=(7, 8)).orders[0]
    assert (order.before, order.states, order.whole) == ("[7, 8]", ["[8]"], False)


def test_a_specification_of_ones_own_has_states_too():
    class Twice:
        init = 0

        def step(self, state, op):
            return [state + 1] if state < 2 else []

    rows = [Operation(0, "call", None, None, 10 * i, 10 * i + 5) for i in range(3)]
    verdict = check(rows, Twice())
    page = html(verdict, Twice(), History.from_operations(rows))
    assert '"states": ["1", "2"]' in page


def _mixed(n, clients):
    """A queue that is right until the end, where two answers change places."""
    rows = []
    for i in range(n):
        rows += [Operation(i % clients, "put", i, True, 100 * i, 100 * i + 30)]
        rows += [Operation((i + 1) % clients, "get", None, i, 100 * i + 40, 100 * i + 90)]
    late = [
        Operation(0, "put", "a", True, 100 * n, 100 * n + 9),
        Operation(0, "put", "b", True, 100 * n + 10, 100 * n + 19),
    ]
    late += [
        Operation(1, "get", None, "b", 100 * n + 20, 100 * n + 29),
        Operation(1, "get", None, "a", 100 * n + 30, 100 * n + 39),
    ]
    return History.from_operations(rows + late)


def data_of(page):
    return json.loads(page.partition('id="data">')[2].partition("</script>")[0])


def test_a_page_of_a_long_history_holds_what_is_around_the_break():
    history = _mixed(1500, 3)
    data = data_of(html(check(history, "queue"), "queue", history))
    shown = [o["line"] for o in data["operations"]]
    assert data["total"] == 3004
    assert len(shown) < 1000
    assert set(range(2900, 3005)) <= set(shown)
    assert sum(o["core"] for o in data["operations"]) >= 3
    longest = max(data["orders"], key=lambda o: len(o["operations"]) + o["skipped"])
    assert len(longest["operations"]) + longest["skipped"] == 3002
    assert longest["states"][-1] == "['a', 'b']"


def test_the_page_needs_nothing_else_and_escapes_values():
    rows = [Operation(0, "put", "</script><b>", True, 0, 5), Operation(1, "get", None, None, 6, 9)]
    page = html(check(rows, "queue"), "queue")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("</script>") == 2
    with pytest.raises(ValueError, match="give the history"):
        html(check(rows[:1], "queue"), "queue")


def test_a_client_that_goes_on_after_the_break_is_no_obstacle():
    rows = [Operation(0, "get", None, 1, 1, 2), Operation(0, "put", 1, True, 3, 4)]
    verdict = check(rows, "queue")
    assert not verdict
    for page in (html(verdict, "queue"), html(verdict, "queue", History.from_operations(rows))):
        assert [o["broken"] for o in data_of(page)["operations"]] == [True, False]


def test_every_verdict_has_a_page(tmp_path):
    page = tmp_path / "page.html"
    for arguments in (
        ["queue-ok.jsonl", "--spec", "queue"],
        ["rwlock-ok.jsonl", "--spec", "rwlock", "--method", "near-linear"],
    ):
        main(["check", str(CORPUS / arguments[0]), *arguments[1:], "--html", str(page)])
        data = data_of(page.read_text())
        assert data["status"] == ("OK" if "queue" in arguments else "UNKNOWN")
        assert data["operations"]
        page.unlink()


def browse(page, script, tmp_path, size="1000,700"):
    """What the script leaves in the page, tried as a user would: keys and clicks."""
    browser = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if browser is None:
        pytest.skip("no chromium: the timeline is not tried in a browser")
    helpers = """const press = k => dispatchEvent(new KeyboardEvent("keydown", {key: k}));
      const all = s => [...document.querySelectorAll(s)], text = s => document.querySelector(s).textContent;
      const click = e => e.dispatchEvent(new MouseEvent("click", {bubbles: true}));
      const op = t => all(".op").find(e => e.getAttribute("aria-label").includes(t));
      const say = x => { document.documentElement.dataset.tried = JSON.stringify(x); };"""
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", f"<script>{helpers}{script}</script></body>"))
    dom = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", f"--window-size={size}",
         "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=240, check=False,
    ).stdout  # fmt: skip
    assert 'data-ready="' in dom, "the script of the page failed"
    tried = (
        dom.partition('data-tried="')[2]
        .partition('"')[0]
        .replace("&quot;", '"')
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )
    return json.loads(tried)


def test_a_violation_in_a_browser(tmp_path):
    history = _mixed(100, 20)
    page = html(check(history, "queue"), "queue", history)
    tried = browse(
        page,
        """
        const x = e => +e.querySelector(".bar").getAttribute("x"), breaks = () => +document.querySelector("#chart .break").getAttribute("x1");
        const opens = [all(".op.broken").length, breaks() > 100 && breaks() < 1000, text("#axis").includes("breaks here"),
          all(".op").length > 4, all(".op").length < 40, text("#clients")];
        click(op('get→\\'b\\'') || all(".op.broken")[0]);
        click(op("put(99)"));
        const states = [text("#tip"), text("#panel h2"), all("#panel tr.picked").length, all("#panel tr").length > 5];
        press("Escape"); press("e");
        const time = [text("#scale"), all(".op.broken").length, /\\dns|\\d µs/.test(text("#axis"))];
        press("e"); press("0"); const many = all(".op").length; press("b"); const few = all(".op").length;
        press("r"); const rows = [text("#clients"), all("#chart .row").length]; press("r");
        press("c"); const alone = all(".op").length, core = all(".op.core").length; press("c");
        press("n"); const next = all(".op.picked.core").length;
        const was = document.documentElement.classList.contains("dark"); press("d");
        say({opens, states, time, zoom: many > few, rows, alone: alone === core && core >= 3, next,
          dark: was !== document.documentElement.classList.contains("dark")});
        """,
        tmp_path,
    )
    assert tried["opens"] == [1, True, True, True, True, "all 20 clients"]
    label, title, picked, rows = tried["states"]
    assert "put(99)" in label
    assert "before: []; after: [99]" in label
    assert "line 199" in label
    assert "µs" in label
    assert (title.startswith("The longest order with this operation: "), picked, rows) == (True, 1, True)
    assert tried["time"] == ["scale: time", 1, True]
    assert tried["rows"] == ["only 10 clients near the break", 20]
    assert (tried["zoom"], tried["alone"], tried["next"], tried["dark"]) == (True, True, 1, True)


@pytest.mark.parametrize(("clients", "size"), [(2, "390,800"), (64, "390,800"), (64, "1280,900")])
def test_labels_can_be_read(clients, size, tmp_path):
    history = _mixed(150, clients)
    page = html(check(history, "queue"), "queue", history)
    script = """
        const cut = e => /^(\\d+: )?[a-z]{0,2}…$/.test(e.textContent), labels = all(".op text");
        const boxes = labels.map(e => e.getBoundingClientRect()), names = all("#chart > text");
        const over = names.filter((e, i) => i && e.getBoundingClientRect().top < names[i - 1].getBoundingClientRect().bottom - 3);
        say([labels.length > 2, labels.filter(cut).length <= 2, over.length, document.documentElement.scrollWidth <= innerWidth]);
        """
    assert browse(page, script, tmp_path, size) == [True, True, 0, True]
    rows = browse(page, 'if (!document.getElementById("clients").hidden) press("r");' + script, tmp_path, size)
    assert rows == [True, True, 0, True]


def test_an_ok_history_in_a_browser(tmp_path):
    history = History.load(CORPUS / "queue-ok.jsonl")
    page = html(check(history, "queue"), "queue", history)
    script = (
        'click(all(".op")[0]); say([text("h1"), text("#panel h2"), all("#panel tr").length, all(".op.picked").length])'
    )
    title, panel, rows, picked = browse(page, script, tmp_path)
    assert title == "OK as queue"
    assert (panel, rows, picked) == (
        f"The longest order with this operation: {len(history)} operations",
        len(history) + 2,
        1,
    )


def test_a_history_without_a_clock_has_events(tmp_path):
    text = "\n".join(
        f"{{:process {p}, :type :{t}, :f :{f}, :value {v}}}"
        for p, f, v in ((0, "write", 1), (1, "read", 2))
        for t in ("invoke", "ok")
    )
    history = from_jepsen(text)
    page = html(check(history, "register"), "register", history)
    axis, scale = browse(page, 'say([text("#axis"), document.getElementById("scale").hidden])', tmp_path)
    assert "event 1" in axis
    assert "ns" not in axis
    assert scale is True


def test_a_page_goes_through_a_link(tmp_path):
    target, link = tmp_path / "target.html", tmp_path / "link.html"
    link.symlink_to(target)
    main(["check", str(CORPUS / "queue-ok.jsonl"), "--spec", "queue", "--html", str(link)])
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("<!")
