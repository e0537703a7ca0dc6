"""Files: what is read, written and refused, with the line."""

import json
import random
import re
import struct

import pytest

from lockfree.linearizability import History, InvalidHistory, Operation, check

GOOD = '{"client": 0, "op": "put", "arg": 1, "result": true, "call": 0, "return": 5}\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"client": 0, "op": "put", "arg": 1, "result": true, "call": 6, "return": 9', "truncated"),
        ('{"client": 0, "op": "pu', "truncated"),
        (
            '{"client": 0, "op": "put", "arg": 2, "result": true, "call": 9, "return": 6}',
            "returned before it was called",
        ),
        (
            '{"client": 0, "op": "put", "arg": 2, "result": true, "call": 3, "return": 6}',
            "still in its operation of line 1",
        ),
        ('{"client": 0, "op": "putt", "arg": 2, "result": true, "call": 6, "return": 9}', 'unknown operation "putt"'),
        ('{"client": 0, "op": "put", "arg": 2, "result": true, "call": NaN, "return": 9}', "NaN"),
        ('{"client": 0, "op": "put", "arg": 2, "result": true, "call": 6.5, "return": 9}', "6.5"),
        ('{"client": 0, "op": "put", "arg": 2, "result": true, "call": -6, "return": 9}', "-6"),
        ('{"client": 0, "op": "put", "arg": 2, "result": true, "call": 6, "return": Infinity}', "Infinity"),
        ('{"client": 0, "op": "put", "arg": 2, "result": true, "call": 6}', "missing field return"),
        ('{"client": 0, "op": "put", "arg": 2, "result": true, "return": 9}', "missing field call"),
        ('{"op": "put", "arg": 2, "result": true, "call": 6, "return": 9}', "missing field client"),
        ('{"client": "a", "op": "put", "arg": 2, "result": true, "call": 6, "return": 9}', "client"),
        ('{"client": 0, "op": "put", "result": true, "call": 6, "return": 9}', 'needs "arg"'),
        ('{"client": 0, "op": "get", "call": 6, "return": 9}', 'needs "result"'),
        ('{"client": 0, "op": "cas", "arg": 3, "result": true, "call": 6, "return": 9}', "cas"),
        ('{"client": 0, "op": "fetch_add", "arg": 3, "result": "x", "call": 6, "return": 9}', "integer"),
        ('{"client": 0, "op": "acquire", "arg": -3, "result": true, "call": 6, "return": 9}', "negative"),
        ('{"client": 0, "op": "cas", "arg": [1, 2], "result": 0, "call": 6, "return": 9}', "true or false, not 0"),
        ('{"client": 0, "op": "acquire", "result": "no", "call": 6, "return": 9}', 'true or false, not "no"'),
        ('{"client": 0, "op": 3, "arg": 1, "call": 6, "return": 9}', '"op" must be a name, not 3'),
        ("[1, 2]", "not a JSON object"),
        ("hello", "not a JSON object"),
        ('{"client": 0, "op": "get", "result": 1, "call": 6, "return": 9} extra', "more after the object"),
        ('{"client": 0, "op": "get", "result": nothing, "call": 6, "return": 9}', "nothing"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(line, message):
    with pytest.raises(InvalidHistory, match="line 2") as info:
        History.from_json(GOOD + line + "\n", any_operation=False)
    assert info.value.line == 2
    assert message in str(info.value)


def test_permits_are_not_negative():
    with pytest.raises(InvalidHistory, match="negative number of permits"):
        History.from_operations([Operation(0, "acquire", -1, True, 0, 5)])


def test_lines_are_counted_with_the_blank_ones():
    with pytest.raises(InvalidHistory) as info:
        History.from_json(
            "\n" + GOOD + "\n\n" + GOOD.replace('"call": 0', '"call": 4').replace('"return": 5', '"return": 9')
        )
    assert info.value.line == 5
    assert "line 2" in str(info.value)


def test_an_operation_after_one_that_never_returned_is_refused():
    with pytest.raises(InvalidHistory, match="line 2.*never returned"):
        History.from_json(GOOD.replace('"return": 5', '"return": null') + GOOD.replace('"call": 0', '"call": 4'))


def test_operations_of_a_batch_share_their_interval():
    rows = [Operation(0, "put", i, True, 0, 9, None, 3) for i in range(3)]
    assert len(History.from_operations(rows)) == 3
    with pytest.raises(InvalidHistory, match="another interval"):
        History.from_operations([*rows, Operation(0, "put", 9, True, 0, 8, None, 3)])


@pytest.mark.parametrize("binary", [False, True])
def test_what_is_saved_is_loaded_again(tmp_path, binary):
    rows = [
        Operation(0, "put", 7, True, 0, 5),
        Operation(1, "put", "text", False, 1, 6),
        Operation(2, "get", None, "text", 2, 7),
        Operation(3, "get", None, None, 3, 8),
        Operation(4, "cas", [1, 2], False, 3, 9, "key"),
        Operation(5, "put", [2, 9], True, 4, 9),
        Operation(6, "get", None, [2, 9], 5, 9),
        Operation(7, "put", 1 << 70, True, 5, 9),
        Operation(8, "put", -(1 << 63), True, 5, None),
        Operation(9, "fetch_add", 2, 40, 5, 9, 12),
        Operation(10, "put", 3.25, True, 6, 9, None, 4),
    ]
    path = tmp_path / "h"
    History.from_operations(rows).save(path, binary=binary)
    expected = [o if o.return_ is not None else o._replace(result=None) for o in rows]
    assert list(History.load(path)) == expected
    assert not list(tmp_path.glob("*.part*"))


def test_an_unfinished_or_shortened_binary_file_is_refused(tmp_path):
    path = tmp_path / "h"
    History.from_operations([Operation(0, "put", 7, True, 0, 5)] * 1).save(path, binary=True)
    whole = path.read_bytes()
    for broken, message in [
        (whole[:-1], "truncated or damaged"),
        (whole + b"x", "truncated or damaged"),
        (whole[:40], "truncated header"),
        (whole[:16] + struct.pack("=Q", (1 << 64) - 1) + whole[24:], "never finished"),
        (whole[:12] + struct.pack("=I", 48) + whole[16:], "records of 48 bytes"),
    ]:
        path.write_bytes(broken)
        with pytest.raises(InvalidHistory, match=message):
            History.load(path)


def test_values_are_equal_when_their_json_is():
    rows = [Operation(0, "put", {"b": 1, "a": [2]}, True, 0, 5), Operation(1, "get", None, {"a": [2], "b": 1}, 6, 9)]
    assert check(rows, "queue").ok


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"a"', '"\\u0061"'),
        ('"é"', '"\\u00E9"'),
        ('"😀"', '"\\ud83d\\uDE00"'),
        ('"/\\"\\\\"', '"\\/\\u0022\\u005c"'),
        ('"\\t\\n"', '"\\u0009\\u000A"'),
        ('"\\ud800x"', '"\\uD800x"'),
        ("[1,2,3]", "[1, 2 ,\t3 ]"),
        ("[ ]", "[]"),
        ('{"a":1,"b":[{"c":2,"d":3}]}', '{"b": [ {"d":3 , "c":2} ], "\\u0061" :1}'),
        ('{"a":1,"ab":2}', '{"ab":2, "a":1}'),
    ],
)
def test_a_value_may_be_written_in_several_ways(one, other):
    line = '{"client": %d, "op": "%s", "arg": %s, "result": %s, "call": %d, "return": %d}\n'
    for first, second in ((one, other), (other, one)):
        text = line % (0, "put", first, "true", 0, 1) + line % (1, "get", "null", second, 2, 3)
        assert check(History.from_json(text), "queue").ok, (first, second)
        keyed = [line % (0, "write", "1", "true", 0, 1), line % (1, "read", "null", "2", 2, 3)]
        history = History.from_json(
            "".join(t[:-2] + f', "key": {k}}}\n' for t, k in zip(keyed, (first, second), strict=True))
        )
        assert len({o.key if isinstance(o.key, str) else json.dumps(o.key) for o in history}) == 1
        history.append(Operation(2, "read", None, json.loads(second), 4, 5, key=json.loads(first)))
        assert history[2].result == json.loads(first)
        assert history[2].key == history[0].key


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1.0"), ("1", '"1"'), ("[1, 2]", "[2, 1]"), ('"a"', '"A"'), ('"\\ud800"', '"\\ud801"')]
)
def test_other_values_are_not_equal(one, other):
    line = '{"client": %d, "op": "%s", "arg": %s, "result": %s, "call": %d, "return": %d}\n'
    text = line % (0, "write", one, "true", 0, 1) + line % (1, "read", "null", other, 2, 3)
    assert not check(History.from_json(text), "register")


def test_values_of_any_json_are_the_same_in_c_and_in_python():
    def value(rng, depth):
        kind = rng.randrange(8 if depth else 6)
        if kind == 6:
            return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
        if kind == 7:
            return {text(rng): value(rng, depth - 1) for _ in range(rng.randrange(4))}
        return (text(rng), rng.randrange(-9, 9), None, True, text(rng), 0.5)[kind]

    def text(rng):
        return "".join(rng.choice('aB"\\/\n\x01\x7fé€😀\ud800') for _ in range(rng.randrange(5)))

    rng = random.Random(3)
    for _ in range(500):
        given = [value(rng, 3)]
        row = {"client": 0, "op": "push", "arg": given, "result": True, "call": 0, "return": 1}
        separators = rng.choice([(",", ":"), (", ", ": "), ("  ,", " :\t")])
        history = History.from_json(
            json.dumps(row, ensure_ascii=rng.random() < 0.5, separators=separators).encode(errors="backslashreplace")
            + b"\n"
        )
        assert history[0].arg == given
        history.append(Operation(1, "pop", None, given, 2, 3))
        assert check(history, "stack").ok, given


def test_a_file_in_pieces_of_any_size_reads_the_same(tmp_path):
    text = "".join(
        json.dumps(Operation(i % 3, "put", i, True, 10 * i, 10 * i + 5).to_json()) + "\n" for i in range(300)
    ).encode()
    whole = list(History.from_json(text))
    for size in (1, 7, 100, 1 << 20):
        history = History()
        for at in range(0, len(text), size):
            history._feed(text[at : at + size])
        history._finish()
        assert list(history) == whole


TICKETS = [
    Operation(0, "put", 7, True, 1, 2, ticket=0),
    Operation(1, "put", "seven", False, 1, 2),
    Operation(2, "get", None, 7, 3, 4, ticket=(1 << 63) - 1),
    Operation(3, "cas", [1, 2], True, 3, 4, ticket=12),
    Operation(4, "write", 3, None, 5, None, ticket=1),
]


@pytest.mark.parametrize("binary", [False, True])
def test_tickets_are_read_as_they_were_written(tmp_path, binary):
    History.from_operations(TICKETS).save(tmp_path / "h", binary=binary)
    assert list(History.load(tmp_path / "h")) == TICKETS


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"op": "put", "arg": 1, "ticket": -1}, '"ticket" must be an integer from 0, not -1'),
        ({"op": "put", "arg": 1, "ticket": 1.5}, '"ticket" must be an integer from 0, not 1.5'),
        ({"op": "alloc", "result": 1, "ticket": 3}, 'this operation has no "ticket": 3'),
        ({"op": "put", "arg": [1, 2], "ticket": 3}, 'this operation has no "ticket": 3'),
    ],
)
def test_a_ticket_that_cannot_be_is_refused(row, message):
    line = json.dumps({"client": 0, "call": 1, "return": 2, "result": True} | row)
    with pytest.raises(InvalidHistory, match=re.escape(message)):
        History.from_json(line)
    if isinstance(row["ticket"], int):
        operation = Operation(0, row["op"], row.get("arg"), row.get("result", True), 1, 2, ticket=row["ticket"])
        with pytest.raises(InvalidHistory, match="ticket"):
            History.from_operations([operation])
