"""A drawing as inline SVG, for a page without scripts: classes alone tell the colours."""

from xml.etree import ElementTree

from kb.pictures.draw import Box, Label, Shape, Stroke
from kb.pictures.draw import Drawing as Drawing
from kb.render.safe import safe

_ARROW = 4


def svg(drawing: Drawing, name: str, style: str = "") -> str:
    """The markup of a drawing; all text in it is escaped.

    Args:
        drawing: What to write.
        name: What it shows, for who does not see it.
        style: CSS to carry, for a drawing that stands alone.
    """
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "role": "img",
            "aria-label": safe(name),
            "viewBox": f"0 0 {_number(drawing.width)} {_number(drawing.height)}",
        },
    )
    if style:
        ElementTree.SubElement(root, "style").text = style
    for shape in drawing.shapes:
        _add(root, shape)
    return ElementTree.tostring(root, encoding="unicode")


def _add(root: ElementTree.Element, shape: Shape) -> None:
    if isinstance(shape, Box):
        place = {"x": shape.x, "y": shape.y, "width": shape.width, "height": shape.height}
        made = ElementTree.SubElement(root, "rect", _attributes(shape.role, place))
        if shape.tip:
            ElementTree.SubElement(made, "title").text = safe(shape.tip)
    elif isinstance(shape, Stroke):
        ends = {"x1": shape.x, "y1": shape.y, "x2": shape.x2, "y2": shape.y2}
        ElementTree.SubElement(root, "line", _attributes(shape.role, ends))
        if shape.arrow:
            x, y = _number(shape.x2), _number(shape.y2)
            back = f"M{x} {y}l-{2 * _ARROW} -{_ARROW}v{2 * _ARROW}z"
            ElementTree.SubElement(root, "path", {"class": "p-head", "d": back})
    elif isinstance(shape, Label):
        made = ElementTree.SubElement(root, "text", _attributes(shape.role, {"x": shape.x, "y": shape.y}))
        if shape.anchor != "start":
            made.set("text-anchor", shape.anchor)
        made.text = safe(shape.text)


def _attributes(role: str, numbers: dict[str, float]) -> dict[str, str]:
    named = {"class": f"p-{role}"} if role else {}
    return {**named, **{name: _number(value) for name, value in numbers.items()}}


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
