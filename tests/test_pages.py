"""The HTML pages of the instruments have one source of colours: _page/colours.css."""

import re
from pathlib import Path

import pytest

from lockfree._page import colours
from lockfree.linearizability import timeline
from lockfree.machine import page as machine
from lockfree.modelcheck import picture

ROOT = Path(__file__).parent.parent / "src/lockfree"
SHEETS = [*sorted(ROOT.rglob("*.html")), *sorted((ROOT / "_page").glob("*.css")), Path(picture.__file__)]
SHEETS = [sheet for sheet in SHEETS if sheet.name != "colours.css" and "katas" not in sheet.parts]
OWN = {"--bar", "--edge", "--rest", "--rest-edge", "--pick"}
"""The marks of the timeline, which mean nothing on other pages."""


def palettes(css):
    """The names that a style defines, and those that it uses."""
    return set(re.findall(r"(--[\w-]+):", css)), set(re.findall(r"var\((--[\w-]+)\)", css))


def strays(text):
    """Colours that a sheet has of its own."""
    defined = re.findall(r"(--[\w-]+): *#[0-9a-fA-F]{3,8}\b", text)
    plain = re.findall(r": *(#[0-9a-fA-F]{3,8})\b", re.sub(r"--[\w-]+: *#\w+", "", text))
    return {*defined} - OWN | {*plain}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: str(sheet.relative_to(ROOT)))
def test_a_page_has_no_colours_of_its_own(sheet):
    assert not strays(sheet.read_text())
    known = {name for text in (colours(), *map(Path.read_text, SHEETS)) for name in palettes(text)[0]}
    assert palettes(sheet.read_text())[1] <= known


def test_colours_of_its_own_are_found():
    assert strays("body { color: #1c2430; }") == {"#1c2430"}
    assert strays(":root { --good: #00ff00; --bar: #fff; }") == {"--good"}


def test_light_and_dark_have_the_same_names():
    light, dark = re.findall(r":root \{(.*?)\}", colours(), re.DOTALL)
    assert palettes(light)[0] == palettes(dark)[0]


def test_a_page_with_a_switch_has_the_dark_colours_as_a_class():
    css = colours("dark")
    assert ":root.dark { color-scheme: dark;" in css
    assert "@media" not in css
    assert palettes(css)[0] == palettes(colours())[0]
    template = Path(timeline.__file__).with_suffix(".html").read_text()
    assert template.count("/*COLOURS*/") == 1


def test_what_was_not_measured_has_words_in_place_of_a_bar():
    known, missing = machine._bars(
        [("load", {"median": 1.0, "low": 1.0, "high": 2.0}, ""), ("fence", None, "nothing was done")]
    )
    assert (known["missing"], missing["missing"]) == (False, True)
    page = (ROOT / "machine/page.html").read_text()
    assert '{% if bar.missing %}<span class="missing">{{ bar.text }}</span>{% else %}' in page


def test_a_picture_that_is_too_wide_says_so():
    page = picture.page("title", [])
    assert "look();" in page
    assert 'class="hint"' in picture._wide("<svg/>")
