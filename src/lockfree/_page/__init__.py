"""What the HTML pages of the instruments share: the style, the charts, and how a page is made."""

from pathlib import Path
from typing import Any

import jinja2


def render(template: Path, **values: Any) -> str:
    """The page. The template may include `page.css` and import from `parts.html`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**values)
