"""Draws what strides do: the cells of a memory, and which of them each view shows where. Writes an SVG."""

from __future__ import annotations

from array import array

from tensor import Tensor

CELL = 34
COLOURS = ("#cfe3f7", "#d5efd2", "#fbe5c8", "#ecd7f2")


def views() -> list[tuple[str, Tensor]]:
    x = Tensor(array("f", range(12)), (3, 4))
    return [
        ("x", x),
        ("x.transpose()", x.transpose()),
        ("x[:, ::2]", x[:, ::2]),
        ("x[::-1]", x[::-1]),
        ("x[1:2].broadcast_to(3, 4)", x[1:2].broadcast_to(3, 4)),
        ("x.reshape(2, 6)", x.reshape(2, 6)),
    ]


def _cell(x: float, y: float, place: int) -> str:
    colour = COLOURS[place // 4]  # the row of x that it belongs to
    return (
        f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{colour}" stroke="#555"/>'
        f'<text x="{x + CELL / 2}" y="{y + 22}" text-anchor="middle">{place}</text>'
    )


def svg() -> str:
    parts, y = [_cell(20 + CELL * i, 40, i) for i in range(12)], 120
    parts.append('<text x="20" y="28">the memory: 12 floats, one after the other</text>')
    for number, (name, tensor) in enumerate(views()):
        x = 20 + 300 * (number % 2)
        parts.append(f'<text x="{x}" y="{y}" font-weight="bold">{name.replace("<", "&lt;")}</text>')
        said = f"strides {tensor.strides}, offset {tensor.offset}"
        parts.append(f'<text x="{x}" y="{y + 18}" fill="#444">{said}</text>')
        rows, columns = tensor.shape
        parts += [
            _cell(x + CELL * j, y + 28 + CELL * i, tensor.where(i, j)) for i in range(rows) for j in range(columns)
        ]
        if number % 2:
            tallest = max(one.shape[0] for _, one in views()[number - 1 : number + 1])
            y += 28 + CELL * tallest + 40
    size = f'width="590" height="{y - 10}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="14">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )
