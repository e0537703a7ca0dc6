"""What the HTML pages of the instruments share: the colours, the style, the charts, and how a page is made."""

import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}\s*\}", re.DOTALL)


def render(template: Path, **values: Any) -> str:
    """The page. The template may include `page.css` and import from `parts.html`. Needs jinja2."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**values)


def colours(switch: str = "") -> str:
    """The colours as CSS, for a page that needs no jinja2. The dark ones are there if the system prefers them, or, with
    `switch`, if the root has that class.
    """
    css = (HERE / "colours.css").read_text(encoding="utf-8")
    if not switch:
        return css
    return _DARK.sub(rf":root.{switch} {{ color-scheme: dark;\1}}", css).replace("light dark;", "light;", 1)


def scroll() -> str:
    """The script that shows the hint of what scrolls sideways, for a page that needs no jinja2."""
    return (HERE / "scroll.js").read_text(encoding="utf-8")
