"""What a program can find of the rules of the prose (CONTRIBUTING.md), in the pages and in the help texts of the commands."""

import argparse
import ast
import re
import tomllib
from pathlib import Path

import pytest

from lockfree.__main__ import _parser

ROOT = Path(__file__).parent.parent
TABLES = {"kill-table.md"}  # written by a program, without prose
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name not in TABLES),
]
LONGEST = 44  # words of a sentence


def paragraphs(text):
    """Running text, list items and cells of tables; without code, figures that a program writes, addresses and quotations."""
    text = re.sub(r"^```.*?^```", "\n\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!-- measured.*?<!-- end -->", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"“[^”]*”|\"[^\"\n]*\"", "QUOTED", text)
    text = re.sub(r"\]\([^)]*\)", "]", text).replace("**", "")
    for paragraph in re.split(r"\n\s*\n", text):
        lines = []
        for line in paragraph.splitlines():
            if line.lstrip().startswith("|"):
                yield from (cell.strip() for cell in line.strip().strip("|").split("|"))
            elif re.match(r"\s*([-*#]+|\d+\.)\s", line):
                yield " ".join(lines)
                lines = [re.sub(r"^\s*([-*#]+|\d+\.)\s+", "", line)]
            else:
                lines.append(line.strip())
        yield " ".join(lines)


def sentences(text):
    for paragraph in paragraphs(text):
        yield from re.split(r"(?<=[.!?])\)?\s+(?=[A-Z(\[*])", paragraph.strip())


def faults(sentence):
    """What a reader of school English would stop at."""
    if len(re.findall(r":(?=\s)", sentence)) > 1:
        yield "more than one colon"
    if re.match(r"[Ww]ho\b", sentence) and not sentence.endswith("?"):
        yield "begins with Who and is no question: name the one who acts"
    if re.search(r"\b[Ww]hoever\b", sentence):
        yield "whoever: name the one who acts"
    if re.search(r"(\b(for|by|from|than)|[;:]) who\b", sentence):
        yield "a clause with who in place of a noun: name the one who acts"
    if found := re.search(r"\b(anew|as ever|in vain|in earnest|if nothing is said|of late)\b", sentence, re.IGNORECASE):
        yield f"{found[0]}: say again, as before, without success, by default, lately"
    words = re.sub(r"\([^()]*\)", "", sentence).split()
    if len(words) > LONGEST and not sentence.startswith(("Source", "The model is")):
        yield f"{len(words)} words: one thought in a sentence"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_plain_english(page):
    found = [f"{fault}: {sentence}" for sentence in sentences(page.read_text()) for fault in faults(sentence)]
    assert not found, "\n".join(found)


def helps(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, inner in action.choices.items():
                yield from ((f"{command} {name}", text) for name, text in helps(inner))
        elif action.help and action.help != argparse.SUPPRESS:
            yield "/".join(action.option_strings) or action.dest, action.help
    for text in (parser.description, parser.epilog):
        if text:
            yield "its description", text


def test_the_help_of_every_command_is_plain_english():
    found = [
        f"{name}: {fault}: {sentence}"
        for name, text in helps(_parser())
        for sentence in sentences(text)
        for fault in faults(sentence)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("Who dies with the lock does not take it along.", "begins with Who"),
        ("It is booked by whoever comes next.", "whoever"),
        ("It is free for who holds the lock.", "in place of a noun"),
        ("It waits: somebody is there: it goes on.", "more than one colon"),
        ("The reader begins anew.", "anew"),
        (" ".join(["word"] * 45) + ".", "45 words"),
    ],
)
def test_the_check_finds_what_it_is_for(sentence, fault):
    assert any(fault in found for found in faults(sentence))
    page = f"# Title\n\nA page. {sentence} It ends.\n\n```c\nWho knows: what: this is\n```\n"
    found = [fault for sentence in sentences(page) for fault in faults(sentence)]
    assert len(found) == len(list(faults(sentence)))


def test_questions_and_code_are_left_alone():
    assert not list(faults("Who uses it?"))
    assert [s for s in sentences("Say `a: b: c` here.\n\n| `x: y` | ok |\n") for _ in faults(s)] == []


WHO = ("begins with Who", "whoever", "in place of a noun", "say again")


def names_the_one_who_acts(texts):
    """Of comments, that alone is asked: lists of what is counted have more colons, and definitions more words."""
    found = [
        f"{where}: {fault}: {sentence}"
        for where, text in texts
        for sentence in sentences(text)
        for fault in faults(sentence)
        if any(part in fault for part in WHO)
    ]
    assert not found, "\n".join(found)


def docstrings():
    """Those of the package's modules, classes and functions: (where, text)."""
    for path in sorted((ROOT / "src/lockfree").rglob("*.py")):
        if "katas" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.name} {getattr(node, 'name', '')}", ast.get_docstring(node) or ""


def comments(text):
    """The comments of C: (line, running text). What follows another on the next line, as members do, is one of its own."""
    for comment in re.finditer(r"/\*.*?\*/|//[^\n]*", text, re.DOTALL):
        body = re.sub(r"^/[*/]+|\*/$", "", comment[0])
        lines = [re.sub(r"^\s*\*", "", line) for line in body.split("\n")]
        yield text.count("\n", 0, comment.start()) + 1, "\n".join(lines)


def test_docstrings_name_the_one_who_acts():
    names_the_one_who_acts(docstrings())


@pytest.mark.parametrize("folder", ["c", "examples", "src/lockfree/_native", "stress"])
def test_comments_of_c_name_the_one_who_acts(folder):
    files = sorted((ROOT / folder).rglob("*.[ch]"))
    assert files
    names_the_one_who_acts(
        (f"{file.relative_to(ROOT)}:{line}", text) for file in files for line, text in comments(file.read_text())
    )


def strings(value):
    """The texts of a file of TOML."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def test_katas_name_the_one_who_acts():
    """What a practitioner reads: statements, hints, diagnoses, debriefs, headers, answers."""
    texts = []
    for file in sorted((ROOT / "src/lockfree/practice/katas").rglob("*.*")):
        where, text = str(file.relative_to(ROOT)), file.read_text()
        if file.suffix == ".md":
            texts.append((where, text))
        elif file.suffix == ".toml":
            texts += [(where, found) for found in strings(tomllib.loads(text))]
        elif file.suffix in {".c", ".h"}:
            texts += [(f"{where}:{line}", comment) for line, comment in comments(text)]
    assert len(texts) > 1000
    names_the_one_who_acts(texts)


@pytest.mark.parametrize(
    "comment",
    [
        "/* Who has the lock ends it. */",
        "int a; /* who waits announces */",
        "int a; /* line 0: who waits announces */",
        "/* One, or\n * whoever comes. */",
        "// The reader begins anew.",
        "/* head\n *\n * Death: it is for who comes next. */",
    ],
)
def test_the_check_of_comments_finds_what_it_is_for(comment):
    with pytest.raises(AssertionError):
        names_the_one_who_acts(comments(f"int before;\n{comment}\nint after;\n"))
