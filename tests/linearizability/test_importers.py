"""Histories of other tools mean what their owners say they mean."""

import gzip
import itertools
import json
import random

import pytest

from linearizability.brute import Model, linearizable
from linearizability.generate import history
from lockfree.linearizability import History, InvalidHistory, Operation, check, checker
from lockfree.linearizability.cli import main
from lockfree.linearizability.importers import from_jepsen, from_porcupine, notation
from lockfree.linearizability.models import AppendMap, Growth


def edn(*rows):
    """Lines of EDN from (process, type, f, value)."""
    return "\n".join(f"{{:process {p}, :type :{t}, :f :{f}, :value {v}}}" for p, t, f, v in rows)


def ops(text, **options):
    return [(o.op, o.arg, o.result, o.return_ is None) for o in from_jepsen(text, **options)]


def test_fail_did_not_happen_unless_it_is_said_to_be_an_answer():
    text = edn(
        (0, "invoke", "write", 8), (0, "ok", "write", 8),
        (1, "invoke", "cas", "[8 9]"), (1, "fail", "cas", "[8 9]"),
        (0, "invoke", "read", "nil"), (0, "ok", "read", 8),
    )  # fmt: skip
    assert check(from_jepsen(text), "register").ok
    assert not check(from_jepsen(text, fail="answer"), "register")
    assert ops(text) == [("write", 8, True, False), ("read", None, 8, False)]


@pytest.mark.parametrize(
    ("f", "spec", "of"), [("dequeue", "queue", ("get", None, None)), ("acquire", "mutex", ("acquire", None, False))]
)
def test_a_failed_call_is_an_answer_on_demand(f, spec, of):
    text = edn((0, "invoke", f, "nil"), (0, "fail", f, ":timeout"))
    assert ops(text, spec=spec) == []
    assert ops(text, spec=spec, fail="answer") == [(*of[:1], 1 if spec == "mutex" else None, of[2], False)]


def test_a_read_of_nil_says_nothing_unless_nil_is_a_value():
    text = edn((0, "invoke", "write", 8), (0, "ok", "write", 8), (0, "invoke", "read", "nil"), (0, "ok", "read", "nil"))
    assert check(from_jepsen(text), "register").ok
    assert not check(from_jepsen(text, nil="value"), "register")


def test_what_is_unknown_stays_open_and_its_process_goes_on():
    text = edn(
        (0, "invoke", "write", 8), (0, "info", "write", 8),
        (0, "invoke", "read", "nil"), (0, "info", "read", "nil"),
        (0, "invoke", "read", "nil"), (0, "ok", "read", 8),
        (":nemesis", "info", "kill", "nil"),
        (3, "info", "crash", "nil"),
        (1, "invoke", "write", 9),
    )  # fmt: skip
    history = from_jepsen(text)
    assert ops(text) == [("write", 8, None, True), ("read", None, 8, False), ("write", 9, None, True)]
    assert len({o.client for o in history}) == 3
    assert check(history, "register").ok


def test_the_order_of_the_file_is_the_time():
    rows = ["{:process 0, :type :invoke, :f :write, :value 1, :time 900}", "{:process 0 :type :ok :f :write :time 905}"]
    rows += [
        "{:process 1, :type :invoke, :f :read, :time 100}",
        "{:process 1, :type :ok, :f :read, :value 1, :time 2000}",
    ]
    assert [(o.call, o.return_) for o in from_jepsen("\n".join(rows))] == [(900, 905), (906, 2000)]


def test_the_notation_of_edn():
    text = """; a comment with { and "
    #jepsen.history[#knossos.op{:process 0, :type :invoke, :f :write, :value "a\\nb \\"q\\" é \\u0041", :index 0N}
     {:type :ok :process 0 :f :write :value nil #_{:ignored [1 2]} :error #{:a \\{ 1/2 -2.5e3 +7 1.5M ##Inf}}
     #_ {:process 9, :type :ok, :f :read}
     {:process 0, :f :write, :type :invoke, :value {:k [1 (2 #{3})], "s" #inst "2020"}} ,,, ]"""
    assert [(o.op, o.arg, o.return_ is None) for o in from_jepsen(text)] == [
        ("write", 'a\nb "q" é A', False), ("write", {"k": [1, [2, [3]]], "s": "2020"}, True),
    ]  # fmt: skip
    assert ops("[[0 :invoke :read nil] [0 :ok :read 3]]") == [("read", None, 3, False)]
    assert ops("") == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("{:process 0", 1, "never closed"),
        ("\n[{:process 0, :type :invoke, :f :read}\n", 2, "never closed"),
        ('\n{:f "abc', 2, "never closed"),
        ("{:process 0 :f}", 1, "a key and no value"),
        ("{}\n]", 1, "not a Jepsen operation"),
        ("\n\n]", 3, "unexpected ]"),
        ("{:f 1.}", 1, "not a number: 1."),
        ("{:f 007}", 1, "not a number: 007"),
        ('{:f "\\q"}', 1, "escape"),
        ("{[1] 2}", 1, "key of a map"),
        ("{:f @}", 1, "not EDN: @"),
        ("[" * 300, 1, "too deeply"),
        ("{:process 0, :type :begin, :f :read}", 1, "begin"),
        ("\n{:process 0, :type :ok, :f :read}", 2, "process 0 completes what it did not invoke"),
        (edn((7, "invoke", "read", "nil"), (7, "invoke", "read", "nil")), 2, "process 7 invokes"),
        ("\n{:type :invoke, :f :read}", 2, "without :process"),
        (edn((7, "invoke", "write", "3"), (7, "ok", "read", "3")), 2, "process 7 completes another operation"),
        ("{:process 0, :type :invoke, :f 3}", 1, "not a name: 3"),
        ("{:process 0, :type :invoke, :f :read, :time 1.5}", 1, "1.5"),
    ],
)
def test_what_is_no_history_is_refused_with_its_line(text, line, message):
    with pytest.raises(InvalidHistory, match="line") as info:
        from_jepsen(text)
    assert info.value.line == line
    assert message in str(info.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("#{1 2 30}", "#{30 2 1}"),
        ("{:a 1, :b 2}", "{:b 2, :a 1}"),
        ("[#{{:a 1 :b 2} {:c #{3 4}}}]", "[#{{:c #{4 3}} {:b 2 :a 1}}]"),
        ('"\\u00e9"', '"é"'),
    ],
)
def test_what_is_printed_in_any_order_is_the_same_value(one, other):
    text = edn(
        (0, "invoke", "write", one), (0, "ok", "write", one), (1, "invoke", "read", "nil"), (1, "ok", "read", other)
    )
    assert check(from_jepsen(text, spec="register"), "register").ok
    assert not check(from_jepsen(text.replace(other + "}", "#{30 2}}"), spec="register"), "register")


def test_a_list_to_which_nothing_was_appended_is_empty():
    def text(value):
        return edn((0, "invoke", "txn", "[[:r 3 nil]]"), (0, "ok", "txn", f"[[:r 3 {value}]]"))

    assert check(from_jepsen(text("[]")), "multi-register").ok
    assert check(from_jepsen(text("[]")), "multi-register,nil=value").ok
    assert not check(from_jepsen(text("[1]")), "multi-register")
    appended = edn((0, "invoke", "txn", "[[:append 3 1]]"), (0, "ok", "txn", "[[:append 3 1]]"))
    assert not check(from_jepsen(appended + "\n" + text("[]")), "multi-register")


def test_a_foreign_operation_is_named_with_the_line_of_its_invocation(tmp_path, capsys):
    path = tmp_path / "h.edn"
    path.write_text("; c\n" + edn((0, "invoke", "drop", 8), (0, "ok", "drop", 8)))
    assert main(["check", str(path), "--spec", "register"]) == 3
    assert "line 2: drop is no operation of register" in capsys.readouterr().err


def test_keys_are_fields_or_the_first_of_two():
    rows = [
        "{:process 0, :type :invoke, :f :write, :key K, :value V}",
        "{:process 0, :type :ok, :f :write, :key K, :value V}",
    ]
    apart = "\n".join(rows).replace("K", '"k"').replace("V", "4")
    together = "\n".join(rows).replace(":key K, ", "").replace("V", '["k" 4]')
    assert [o.key for o in from_jepsen(apart)] == [o.key for o in from_jepsen(together, keyed=True)] == ["k"]
    assert [o.arg for o in from_jepsen(together, keyed=True)] == [4]


def kv(process, f, key, value):
    """A call on a key-value store that takes no time."""
    given = "nil" if f == "get" else value
    head = f'{{:process {process}, :type :%s, :f :{f}, :key "{key}", :value %s}}'
    return head % ("invoke", given) + "\n" + head % ("ok", value)


def test_appends_make_the_values_of_a_map_grow():
    rows = [kv(0, "get", "a", '""'), kv(0, "append", "a", '"x"'), kv(1, "put", "b", '"z"'), kv(1, "append", "a", '"y"')]
    for last, right in (('"xy"', True), ('"yx"', False), ('"x"', False)):
        text = "\n".join([*rows, kv(0, "get", "a", last)])
        assert check(from_porcupine(text), "map").ok is right
        assert check(from_jepsen(text, spec="map"), "map").ok is right
    lists = [Operation(0, "append", 1, True, 0, 1, "k"), Operation(0, "append", 2, True, 2, 3, "k")]
    assert check([*lists, Operation(0, "get", None, [1, 2], 4, 5, "k")], "map").ok
    assert not check([*lists, Operation(0, "get", None, [2, 1], 4, 5, "k")], "map")


def test_an_absent_key_of_porcupine_reads_as_the_empty_text():
    text = "\n".join(
        [kv(0, "get", "a", '""'), kv(0, "put", "a", '""'), kv(0, "get", "a", '""'), kv(0, "put", "a", '"v"')]
    )
    assert check(from_porcupine(text), "map").ok
    assert not check(from_porcupine(text + "\n" + kv(0, "get", "a", '""')), "map")


def txn(process, kind, *steps):
    return f"{{:process {process}, :type :{kind}, :f :txn, :value [{' '.join(steps)}]}}"


def test_several_registers_are_written_at_once(tmp_path):
    rows = [txn(0, "invoke", "[:write :x 1]", "[:write :y 1]"), txn(0, "ok", "[:write :x 1]", "[:write :y 1]")]
    asks = txn(1, "invoke", "[:read :x nil]", "[:read :y nil]")
    for x, y, right in ((1, 1, True), (1, 0, False), (1, "nil", True), (0, 0, False)):
        text = "\n".join([*rows, asks, txn(1, "ok", f"[:read :x {x}]", f"[:read :y {y}]")])
        path = tmp_path / "h.edn"
        path.write_text(text)
        assert main(["check", str(path), "--spec", "multi-register,initial=0", "--quiet"]) == (0 if right else 1)
    early = "\n".join([rows[0], asks, txn(1, "ok", "[:read :x 0]", "[:read :y 1]"), rows[1]])
    assert not check(from_jepsen(early, spec="multi-register"), "multi-register,initial=0")


def test_a_counter_that_does_not_say_what_was_there():
    rows = [(0, "invoke", "add", 2), (0, "ok", "add", 2), (1, "invoke", "dec", 1), (1, "ok", "dec", 1)]
    for last, right in ((1, True), (2, False)):
        text = edn(*rows, (0, "invoke", "read", "nil"), (0, "ok", "read", last))
        assert check(from_jepsen(text, spec="counter"), "counter").ok is right


def test_a_set_that_is_read_as_a_whole():
    rows = [(0, "invoke", "add", 2), (0, "ok", "add", 2), (1, "invoke", "add", 2), (1, "ok", "add", 2)]
    for last, right in (("#{2}", True), ("[2 2]", True), ("#{2 3}", False), ("#{}", False)):
        text = edn(*rows, (0, "invoke", "read", "nil"), (0, "ok", "read", last))
        assert check(from_jepsen(text, spec="set"), "set").ok is right


def test_a_drain_takes_what_is_inside_in_any_order():
    rows = [(0, t, "enqueue", n) for n in (1, 2) for t in ("invoke", "ok")]
    for got, right in (("[2 1]", True), ("[1 3]", False)):
        text = edn(*rows, (0, "invoke", "drain", "nil"), (0, "ok", "drain", got))
        assert check(from_jepsen(text, spec="queue"), "queue").ok is right


def test_anyone_may_release_a_mutex_of_jepsen(tmp_path):
    path = tmp_path / "h.edn"
    calls = [(0, "acquire"), (1, "release"), (2, "acquire")]
    path.write_text(edn(*((p, t, f, "nil") for p, f in calls for t in ("invoke", "ok"))))
    assert main(["check", str(path), "--spec", "mutex", "--quiet"]) == 0
    assert main(["check", str(path), "--spec", "mutex,release=holder", "--quiet"]) == 1
    path.write_text(path.read_text() + "\n" + edn((3, "invoke", "acquire", "nil"), (3, "ok", "acquire", "nil")))
    assert main(["check", str(path), "--spec", "mutex", "--quiet"]) == 1


LOG = """INFO  jepsen.util - 0\t:invoke\t:write\t4
INFO  jepsen.util - 0\t:ok\t:write\t4
INFO  jepsen.core - a line about something else
INFO  jepsen.util - 1\t:invoke\t:cas\t[4 5]
INFO  jepsen.util - 1\t:fail\t:cas\t[4 5]
INFO  jepsen.util - 2   :invoke :write  9
INFO  jepsen.util - 2   :info   :write  :timed-out
INFO  jepsen.util - 3\t:invoke\t:read\tnil
INFO  jepsen.util - 3\t:fail\t:read\t:timed-out
"""


def test_the_console_of_jepsen(tmp_path):
    # in the logs that Porcupine carries a failed cas found another value: only the open write of 9 explains it
    path = tmp_path / "etcd.log"
    path.write_text(LOG)
    assert main(["check", str(path), "--spec", "register", "--quiet"]) == 1
    assert main(["check", str(path), "--spec", "register", "--quiet", "--format", "jepsen"]) == 0
    lines = LOG.splitlines()
    path.write_text("\n".join([*lines[:3], lines[5], *lines[3:5], *lines[6:]]))
    assert main(["check", str(path), "--spec", "register", "--quiet"]) == 0
    path.write_text(LOG.replace("[4 5]", "[3 5]") + "INFO  jepsen.util - 1\t:invoke\t:read\tnil\n" * 1)
    assert main(["check", str(path), "--spec", "register", "--quiet"]) == 0


@pytest.mark.parametrize("noise", ["INFO  jepsen.core - Worker 0 starting\n\n", "starting up\n" * 1000, "  \n"])
def test_a_log_begins_with_messages(tmp_path, noise):
    path = tmp_path / "etcd.log"
    path.write_text(noise + LOG)
    assert main(["check", str(path), "--spec", "register", "--quiet"]) == 1
    assert main(["check", str(path), "--spec", "register", "--quiet", "--format", "porcupine"]) == 1
    assert main(["check", str(path), "--spec", "register", "--quiet", "--format", "jepsen"]) == 0


def step(given, came, call, ret, client=0):
    return {"ClientId": client, "Input": given, "Call": call, "Output": came, "Return": ret}


@pytest.mark.parametrize(
    ("spec", "items"),
    [
        ("map", [step({"op": 1, "key": "x", "value": "a"}, {}, 0, 9), step({"op": 0, "key": "x"}, {"value": "%s"}, 10, 12)]),
        ("map", [step({"op": 2, "key": "x", "value": "a"}, {}, 0, 9), step({"op": 0, "key": "x"}, {"value": "%s"}, 10, 12)]),
        ("map", [step({"op": "Put", "key": "x", "value": "a"}, {}, 0, 9), step({"op": "Get", "key": "x"}, "%s", 10, 12)]),
        ("register", [step({"op": False, "value": "a"}, 0, -5, 9), step({"op": True, "value": 0}, "%s", 10, 12)]),
        ("register", [step({"op": 1, "arg1": "a"}, {}, 0, 9), step({"op": 0}, {"exists": True, "value": "%s"}, 10, 12)]),
        (
            "register",
            [
                step({"op": 1, "arg1": "b"}, {}, 0, 9),
                step({"op": 2, "arg1": "b", "arg2": "a"}, {"ok": True}, 10, 12),
                step({"op": 0}, {"exists": True, "value": "%s"}, 14, 19),
            ],
        ),
        ("register", [step({"op": 1, "arg1": "a"}, {"unknown": True}, 0, 9), step({"op": 0}, {"value": "%s"}, 90, 92, 1)]),
        ("queue", [step({"op": "enqueue", "value": "a"}, {}, 0, 9), step({"op": "dequeue"}, {"value": "%s"}, 8, 12)]),
    ],
)  # fmt: skip
def test_operations_of_porcupine(spec, items):
    for value, right in (("a", True), ("c", False)):
        text = json.dumps(items).replace("%s", value)
        assert check(from_porcupine(text, spec=spec), spec).ok is right
        lines = "\n".join(json.dumps(i) for i in json.loads(text))
        assert check(from_porcupine(lines, spec=spec), spec).ok is right


def test_events_of_porcupine():
    events = [
        (False, {"op": 1, "key": "x", "value": "a"}),
        (False, {"op": 0, "key": "x"}),
        (True, {"value": ""}),
        (True, {}),
    ]
    items = [{"ClientId": i % 2, "Kind": k, "Value": v, "Id": (0, 1, 1, 0)[i]} for i, (k, v) in enumerate(events)]
    assert check(from_porcupine(items), "map").ok
    items[2]["Value"] = {"value": "b"}
    assert not check(from_porcupine(items), "map")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"ClientId":0,"Input":{"op":1.5},"Call":1,"Output":{},"Return":2}]', "op 1.5"),
        ('[{"ClientId":0,"Input":{"op":7},"Call":1,"Output":{},"Return":2}]', "op 7 is none of the numbers 0, 1, 2"),
        ('[{"ClientId":0,"Input":{"op":null},"Call":1,"Output":{},"Return":2}]', "op None"),
        ('[{"ClientId":0,"Input":3,"Call":1,"Output":{},"Return":2}]', "Input 3"),
        ('[{"ClientId":0,"Input":{"op":1,"value":2},"Call":1.5,"Output":{},"Return":2}]', "Call 1.5"),
        ('[{"ClientId":0,"Input":{"op":1,"value":2},"Call":1,"Output":{},"Return":"x"}]', "Return 'x'"),
        ('[{"ClientId":0,"Input":{"op":1,"value":2},"Call":3,"Output":{},"Return":2}]', "returned before"),
        ('[{"ClientId":0}]', "Input"),
        ('[{"ClientId":0,"Input":{"op":"put","key":"a"},"Call":1,"Output":{},"Return":2}]', "arg1"),
        ('\n\n{"ClientId":0}', "line 3"),
        ('[{"client":0,"op":"put","key":"a","arg":1,"call":1,"return":2}]', "without [ and ]"),
        ("[3]", "3 is no object"),
        ("[null]", "None is no object"),
        ('[{"Kind":1,"Value":{},"Id":7}]', "event 1 returns what was not called: Id 7"),
        ('[{"Kind":0,"Value":{"op":0},"Id":7},{"Kind":0,"Value":{"op":0},"Id":7}]', "event 2 calls while"),
        ('[{"Kind":0,"Value":{"op":0}}]', "it has no 'Id'"),
        ('{"ClientId":0}\n{"Cl', "line 2: not JSON"),
    ],
)
def test_what_porcupine_could_not_have_written_is_unusable(text, message, tmp_path, capsys):
    path = tmp_path / "h.json"
    path.write_text(text)
    assert main(["check", str(path), "--spec", "map", "--format", "porcupine"]) == 3
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("pack", [False, True])
def test_a_file_is_known_by_its_first_characters(pack, tmp_path):
    jsonl = '{"client": 0, "op": "write", "arg": 1, "result": true, "call": 1, "return": 2}\n'
    binary = tmp_path / "b"
    History.from_json(jsonl).save(binary, binary=True)
    item = json.dumps(step({"op": "write", "value": 1}, {}, 1, 2))
    pair = edn((0, "invoke", "write", 1), (0, "ok", "write", 1))
    for text in (
        jsonl.encode(),
        binary.read_bytes(),
        item,
        f"[{item}]",
        pair,
        f"[{pair}]",
        f"( {pair} )",
        f"; x\n{pair}",
        LOG,
    ):
        data = text if isinstance(text, bytes) else text.encode()
        path = tmp_path / "h"
        path.write_bytes(gzip.compress(data) if pack else data)
        assert main(["check", str(path), "--spec", "register", "--quiet"]) == (1 if text is LOG else 0), text
    assert notation(b"[1, 2]") == notation(b"") == "own"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("pack", [False, True])
def test_a_mark_of_the_encoding_is_no_part_of_the_history(tmp_path, encoding, pack):
    """Some editors and shells begin a text file with one."""
    path = tmp_path / "h"
    wrong = '{"client": 0, "op": "read", "arg": null, "result": "é", "call": 1, "return": 2}\n'
    edn = "{:process 0, :type :invoke, :f :read}\n{:process 0, :type :ok, :f :read, :value 3}\n"
    for text in (wrong, edn):
        data = text.encode(encoding)
        path.write_bytes(gzip.compress(data) if pack else data)
        assert main(["check", str(path), "--spec", "register", "--quiet"]) == 1, text
    half = "{".encode("utf-16") + b"x"
    path.write_bytes(gzip.compress(half) if pack else half)
    assert main(["check", str(path), "--spec", "register", "--quiet"]) == 3


def test_a_damaged_archive_is_unusable(tmp_path, capsys):
    path = tmp_path / "h.gz"
    path.write_bytes(gzip.compress(b"x" * 500)[:-9])
    assert main(["check", str(path), "--spec", "queue"]) == 3
    assert "damaged gzip" in capsys.readouterr().err
    with pytest.raises(InvalidHistory, match="damaged gzip"):
        History.load(path)


def _as_edn(rows):
    """The events of a history in the order of time, calls before returns."""
    events = sorted(
        itertools.chain(((o.call, 0, o) for o in rows), ((o.return_, 1, o) for o in rows if o.return_ is not None)),
        key=lambda event: event[:2],
    )
    write = {None: "nil"}
    for _, returned, o in events:
        given = (
            "nil" if o.op == "read" else o.arg if o.op == "write" else f"[{write.get(o.arg[0], o.arg[0])} {o.arg[1]}]"
        )
        came = write.get(o.result, o.result) if o.op == "read" else given
        kind = "invoke" if not returned else "fail" if o.result is False else "ok"
        yield o.client, kind, o.op, came if returned else given


def test_a_history_says_the_same_in_edn():
    tried = 0
    for seed in range(300):
        rows = [o for o in history("register", seed, equal=seed % 2 == 0) if not o.batch and o.call != o.return_]
        returns = {o.return_ for o in rows}
        if any(o.call in returns for o in rows):
            continue  # equal instants have no order in a file
        tried += 1
        told = from_jepsen(edn(*_as_edn(rows)), fail="answer", nil="value")
        assert check(told, "register").status == check(rows, "register").status, seed
    assert tried > 50


def _appends(seed, changes, letters="ab"):
    """A map of texts under several clients, with one answer damaged in half of the histories."""
    rng = random.Random(seed)
    rows, value, clock, free = [], None, 0, [0, 0, 0]
    other = rng.choice(["put", "put", "delete", "remove", "contains"])
    for n in range(7):
        client, kind = rng.randrange(3), rng.choice(["append", "append", "get", other if changes else "append"])
        call = max(free[client], clock - rng.randrange(4))
        clock = max(clock, call) + 1
        text = rng.choice(["", letters * 2, *3 * [letters[n % 2]]])
        there = value is not None
        value = (value or "") + text if kind == "append" else text if kind == "put" else value
        value = None if kind in ("delete", "remove") else value
        free[client] = clock + rng.randrange(5)
        result = value if kind == "get" else there if kind in ("contains", "remove") else True
        rows.append(
            Operation(client, kind, text if kind in ("put", "append") else None, result, call, free[client], "k")
        )
    if rng.random() < 0.3:
        rows = [o if o.client or o is not max(rows, key=lambda r: r.call) else o._replace(return_=None) for o in rows]
    told = [i for i, o in enumerate(rows) if o.op in ("get", "contains", "remove") and o.return_ is not None]
    if told and rng.random() < 0.5:
        i = rng.choice(told)
        answers = ["a", "b", "ab", "ba", "aba", "", None] if rows[i].op == "get" else [True, False]
        rows[i] = rows[i]._replace(result=rng.choice(answers))
    return [o if o.return_ is not None else o._replace(result=None) for o in rows]


class _Texts(Model):
    """The plain truth: a text, or nothing."""

    init = None

    def step(self, s, op):
        if op.op == "get":
            if op.return_ is None or op.result == s or (not s and not op.result):
                yield s
        elif op.op in ("put", "append"):
            yield op.arg if op.op == "put" else (s or "") + op.arg
        elif op.op == "delete" or op.return_ is None or op.result is (s is not None):
            yield s if op.op == "contains" else None


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize("letters", ["ab", "\xe4b", '"b'])  # what C appends itself, and what it leaves to Python
def test_appends_are_decided_as_by_enumeration(changes, letters):
    found = {True: 0, False: 0}
    for seed in range(400):
        rows = _appends(seed, changes, letters)
        if not any(o.op == "append" for o in rows):
            continue
        truth = linearizable(rows, _Texts())
        verdict = check(rows, "map")
        assert verdict.ok is truth, (seed, rows)
        assert Growth(History.from_operations(rows)).usable is ('"' not in letters or '"' not in str(rows))
        assert check(rows, AppendMap(rows), counterexample=False).ok is truth, (seed, rows)
        found[truth] += 1
        if not verdict.ok:  # and so is the counterexample, on its own
            assert not linearizable(verdict.operations, _Texts()), (seed, verdict.operations)
    assert min(found.values()) > 20


def test_a_map_of_texts_that_grow_has_one_state_for_what_no_answer_can_tell_apart():
    rows = [Operation(0, "append", "a", True, 0, 1, "k"), Operation(0, "get", None, "ab", 20, 21, "k")]
    wrong = [*rows, Operation(0, "get", None, "abcd", 4, 5, "k"), Operation(0, "append", "b", True, 2, 3, "k")]
    assert check(rows + [Operation(1, "append", "b", True, 2, 3, "k")], "map").ok
    verdict = check(wrong, "map", counterexample=False)
    assert verdict.status == "VIOLATION"
    assert check(wrong[:2], "map", counterexample=False).start == "'a'"
    zero = [Operation(0, "put", 0, True, 0, 1, "k"), Operation(0, "get", None, None, 2, 3, "k")]
    assert not check([*zero, Operation(0, "append", "x", True, 4, 5, "other")], "map")


def appends_of_30_clients():
    rows, value = [], ""
    for n in range(40):
        for client in range(30):
            word = f"x {client} {n} y"
            rows.append(Operation(client, "append", word, True, 100 * n, 100 * n + 60 + client, "k"))
        for client in range(29, -1, -1):
            value += f"x {client} {n} y"
        rows.append(Operation(99, "get", None, value, 100 * n + 95, 100 * n + 96, "k"))
    return rows, [*rows[:-1], rows[-1]._replace(result=value[:-9] + value[-8:])]


def test_many_clients_that_append_are_decided():
    right, wrong = appends_of_30_clients()
    verdict = check(right, "map", timeout=30)
    assert verdict.ok
    verdict = check(wrong, "map", timeout=2)
    assert verdict.status == "VIOLATION"
    assert verdict.operations  # all of that key, when making it small takes too long


def test_a_violation_by_appends_that_cannot_be_made_small_in_time_is_the_first_one(monkeypatch):
    """Its states are numbered by the search that found it, not by that which ran out of time."""
    monkeypatch.setattr(checker, "_CORE_SECONDS", 1e-9)
    verdict = check(appends_of_30_clients()[1], "map")
    assert verdict.status == "VIOLATION"
    assert verdict.operations


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path, capsys):
    path = tmp_path / "h.edn"
    path.write_bytes(b"; fine\n{:process 0 :f \xff}\n")
    assert main(["check", str(path), "--spec", "register"]) == 3
    assert "line 2: not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("value", [b'"\xff\xfe"', b"1-2+3", b"-", b'"\\ud800"'])
def test_values_that_only_compare_are_shown_all_the_same(value, tmp_path, capsys):
    path, page = tmp_path / "h.jsonl", tmp_path / "h.html"
    line = b'{"client": 0, "op": "get", "result": %s, "call": 1, "return": 2}\n'
    path.write_bytes(line % value)
    assert main(["check", str(path), "--spec", "queue", "--html", str(page)]) == 1
    assert "nobody had put in" in capsys.readouterr().out
    assert page.exists()


def test_lists_under_transactions_grow():
    rows = [txn(0, t, "[:append 1 7]", "[:append 1 8]") for t in ("invoke", "ok")] + [txn(1, "invoke", "[:r 1 nil]")]
    for value, right in (("[7 8]", True), ("[7]", False), ("[8 7]", False)):
        text = "\n".join([*rows, txn(1, "ok", f"[:r 1 {value}]")])
        assert check(from_jepsen(text, spec="multi-register"), "multi-register").ok is right


@pytest.mark.parametrize("steps", ["7", "[:read :x]", "[:swap :x 1]", "[:read :x nil nil]"])
def test_what_is_no_transaction_is_unusable(steps, tmp_path, capsys):
    path = tmp_path / "h.edn"
    path.write_text("\n" + txn(0, "invoke", steps) + "\n" + txn(0, "ok", steps))
    assert main(["check", str(path), "--spec", "multi-register"]) == 3
    assert "line 2" in capsys.readouterr().err
    path.write_text(edn((0, "invoke", "read", "nil"), (0, "ok", "read", 7), (0, "invoke", "add", 7)))
    assert main(["check", str(path), "--spec", "set"]) == 3
    assert "not 7" in capsys.readouterr().err


def test_the_history_txt_of_jepsen(tmp_path):
    path = tmp_path / "history.txt"
    lines = ["0\t:invoke\t:cas\t[1 2]", "0\t:fail\t:cas\t[1 2]\t:no-leader", ':nemesis\t:info\t:kill\t{:n1 ["a b"]}']
    lines += ["1\t:invoke\t:write\t1", "1\t:ok\t:write\t1", "2  :invoke  :read  nil", '2  :ok  :read  1  [:slow "x"]']
    path.write_text("\n".join(lines))
    assert main(["check", str(path), "--spec", "register", "--quiet"]) == 0
    path.write_text(path.read_text().replace(":read  1", ":read  2"))
    assert main(["check", str(path), "--spec", "register", "--quiet"]) == 1


def test_a_queue_without_order():
    rows = [(0, t, "enqueue", n) for n in (1, 2) for t in ("invoke", "ok")]
    for got, right in ((2, True), (3, False)):
        text = edn(*rows, (1, "invoke", "dequeue", "nil"), (1, "ok", "dequeue", got))
        assert check(from_jepsen(text, spec="unordered-queue"), "unordered-queue").ok is right
    verdict = check([Operation(0, "put", "a", True, 0, 1), Operation(0, "get", None, "b", 2, 3)], "unordered-queue")
    assert "nobody had put in" in verdict.reason


def test_check_reads_a_file_in_any_notation(tmp_path):
    path = tmp_path / "h.edn"
    path.write_text(
        edn(
            (0, "invoke", "acquire", "nil"),
            (0, "ok", "acquire", "nil"),
            (1, "invoke", "release", "nil"),
            (1, "ok", "release", "nil"),
        )
    )
    assert check(path, "mutex").ok
    assert not check(path, "mutex,release=holder")
    path.write_text(LOG)
    assert not check(path, "register")

    class Register:
        init = None

        def step(self, state, op):
            return [op.arg] if op.op == "write" else [state] if op.return_ is None or op.result == state else []

    path.write_text(
        edn((0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "read", "nil"), (1, "ok", "read", 1))
    )
    assert check(path, Register()).ok


def test_the_lines_of_a_counterexample(tmp_path, capsys):
    path = tmp_path / "h.edn"
    path.write_text(
        "; first\n"
        + edn((0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "read", "nil"), (1, "ok", "read", 2))
    )
    assert main(["check", str(path), "--spec", "register", "--json"]) == 1
    assert 4 in json.loads(capsys.readouterr().out)["lines"]
    path.write_text('{"client": 0, "op": "get", "result": 1, "call": 1, "return": 2}')
    assert main(["check", str(path), "--spec", "queue", "--fail", "answer"]) == 3
    assert "Jepsen" in capsys.readouterr().err


def test_tokens_of_a_lock_are_no_permits():
    rows = [(0, "invoke", "acquire", "nil"), (0, "ok", "acquire", "{:fence 7}"), (0, "invoke", "release", "{:fence 7}")]
    history = from_jepsen(edn(*rows, (0, "ok", "release", "{:fence 7}")), spec="mutex")
    assert [(o.op, o.arg) for o in history] == [("acquire", 1), ("release", 1)]


def test_a_counter_read_as_nil_says_nothing():
    assert ops(edn((0, "invoke", "read", "nil"), (0, "ok", "read", "nil")), spec="counter") == []


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("register", "enqueue"),
        ("map", "dequeue"),
        ("set", "increment"),
        ("block-pool", "lock"),
        ("queue", "inc"),
        ("mutex", "enqueue"),
    ],
)
def test_a_name_of_another_object_is_unusable(spec, name, tmp_path, capsys):
    path = tmp_path / "h.edn"
    path.write_text(edn((0, "invoke", name, 1), (0, "ok", name, 1)))
    assert main(["check", str(path), "--spec", spec]) == 3
    assert f"line 1: {name} is no operation of" in capsys.readouterr().err


@pytest.mark.parametrize(("nil", "status"), [("any", 0), ("value", 1)])
def test_a_transaction_that_read_null_may_say_so(nil, status, tmp_path):
    path = tmp_path / "h.edn"
    rows = [txn(0, "invoke", "[:w :x 1]", "[:w :y 2]"), txn(0, "ok", "[:w :x 1]", "[:w :y 2]")]
    rows += [txn(1, "invoke", "[:r :x nil]", "[:r :y nil]"), txn(1, "ok", "[:r :x 1]", "[:r :y nil]")]
    path.write_text("\n".join(rows))
    assert main(["check", str(path), "--spec", "multi-register", "--nil", nil, "--quiet"]) == status
    assert check(from_jepsen(path.read_text(), spec="multi-register"), f"multi-register,nil={nil}").ok is not bool(
        status
    )
    early = "\n".join([*rows[2:3], txn(1, "ok", "[:r :x nil]", "[:r :y nil]"), *rows[:2]])
    assert check(from_jepsen(early, spec="multi-register"), f"multi-register,nil={nil}").ok
