"""The generated parts of the reference pages: what the code says of its JSON, its HTTP, its grammars and its cases."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    """Text as code in a cell; a code span that holds backquotes needs longer ones around it."""
    return f"`` {_cell(text)} ``" if "`" in text else f"`{_cell(text)}`"


def _typed(schema: dict[str, Any]) -> str:
    """What a schema lets through, in a word or two."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_typed(each) for each in schema[several]))
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(_typed({**schema, "type": each}) for each in kind)
    if kind == "array" and "items" in schema:
        return f"array of {_typed(schema['items'])}"
    return str(kind)


def _rows(schema: dict[str, Any], before: str = "") -> Iterator[str]:
    """A row a field; those of an object in it, or of each in an array, follow it by their path: ``matches[].case``."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        mark = "" if name in required else " (may be absent)"
        means = field.get("description", "its name and version" if "const" in field else "")
        yield f"| `{before}{name}` | {_cell(_typed(field))} | {_cell(means)}{mark} |"
        inner, path = field, f"{before}{name}"
        while "items" in inner and "properties" not in inner:
            inner, path = inner["items"], f"{path}[]"
        if "properties" in inner:
            yield from _rows(inner, f"{path}.")


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    if not schema.get("properties"):
        yield f"{schema.get('description', _typed(schema))}\n"
        return
    if "description" in schema:
        yield f"{schema['description']}\n"
    yield "| field | type | means |\n|---|---|---|"
    yield from _rows(schema)
    yield ""


def json_schemas() -> str:
    """Each schema of ``kb schema --list``: its fields, and the shapes that they refer to."""
    from kb.render.schema import names, schema

    parts = []
    for name in names():
        whole = schema(name)
        parts += [f"## {name}\n", f"{whole.get('title', '')}: `kb schema {name}`.\n", *_fields(whole)]
        for inner, shape in whole.get("$defs", {}).items():
            parts += [f"### {name}: {inner}\n", *_fields(shape)]
    return "\n".join(parts).rstrip() + "\n"


def _body(body: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """What a request carries: its media types, and the fields where it is an object of JSON."""
    if not body:
        return
    media = ", ".join(f"`{each}`" for each in body["content"])
    yield f"Body: {media}{'. ' + body['description'].rstrip('.') if 'description' in body else ''}.\n"
    for content in body["content"].values():
        if name := _shape(content.get("schema", {})):
            yield "| field of the body | type | means |\n|---|---|---|"
            yield from _rows(schemas[name])
            yield ""


def http() -> str:
    """Each request of the service, from its own OpenAPI document; behind them errors and shapes, each once."""
    from kb.serve.app import build

    nobody: Any = None  # the document does not depend on who answers
    document = build(nobody).openapi()
    schemas = document["components"]["schemas"]
    parts, errors, shapes = [], {}, {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(f"## {method.upper()} {path}\n")
            parts.append(f"{(operation.get('description') or operation.get('summary', '')).strip()}\n")
            parts += _body(operation.get("requestBody", {}), schemas)
            parameters = operation.get("parameters", ())
            if parameters:
                parts.append("| parameter | in | type | means |\n|---|---|---|---|")
                parts += [
                    f"| `{each['name']}` | {each['in']} | {_cell(_typed(each['schema']))} |"
                    f" {_cell(each.get('description', ''))} |"
                    for each in parameters
                ]
                parts.append("")
            refused = []
            for status, answer in sorted(operation["responses"].items()):
                content = answer.get("content", {})
                if _PROBLEM in content:
                    errors[status] = answer["description"]
                    refused.append(status)
                    continue
                names = {name for each in content.values() if (name := _shape(each.get("schema", {})))}
                shapes |= {name: schemas[name] for name in names}
                said = answer.get("description", "").strip().replace("Successful Response", "")
                told = [*([said] if said else []), *(f"[{name}](#{name.lower()})" for name in sorted(names))]
                media = ", ".join(f"`{each}`" for each in content)
                parts.append(f"- **{status}** {', '.join(told)}{' as ' * bool(told and media)}{media}".rstrip())
            parts += [f"- errors: {', '.join(refused)}" * bool(refused), ""]
    parts += ["## Errors\n", f"All are `{_PROBLEM}`, a [Problem](#problem).\n", "| status | means |\n|---|---|"]
    parts += [*(f"| {status} | {said} |" for status, said in sorted(errors.items())), ""]
    for name, shape in _inner({**shapes, "Problem": schemas["Problem"]}, schemas).items():
        parts += [f"## {name}\n", *_fields(shape)]
    return "\n".join(parts).rstrip() + "\n"


_PROBLEM = "application/problem+json"


def _shape(schema: dict[str, Any]) -> str:
    """The name of the shape that a schema refers to, of each item where it is an array; empty for none."""
    named = (schema.get("items") or schema).get("$ref", "").rpartition("/")[2]
    return str(named)


def _inner(shapes: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Shapes, and behind each those that its fields refer to."""
    found: dict[str, Any] = {}
    for name, shape in shapes.items():
        found[name] = shape
        found |= {inner: schemas[inner] for field in shape.get("properties", {}).values() if (inner := _shape(field))}
    return found


def extras() -> str:
    """What each extra brings, and the packages that it installs."""
    from kb.doctor.packages import PACKAGES

    rows = ["| extra | for | packages |", "|---|---|---|"]
    for extra in dict.fromkeys(extra for extra, _ in PACKAGES.values() if extra):
        uses: dict[str, list[str]] = {}
        for what in (what for each, what in PACKAGES.values() if each == extra):
            command, _, part = what.partition(": ")
            uses.setdefault(command, []).append(part)
        told = (f"{command}: {', '.join(parts)}" if any(parts) else command for command, parts in uses.items())
        packages = (package for package, (each, _) in PACKAGES.items() if each == extra)
        rows.append(f"| `{extra}` | {'; '.join(told)} | {', '.join(packages)} |")
    return "\n".join(rows) + "\n"


def environment() -> str:
    """The environment variables that kb reads."""
    from kb.doctor import ENVIRONMENT

    rows = [f"| `{name}` | {what} |" for name, what in ENVIRONMENT.items()]
    return "\n".join(["| variable | is |", "|---|---|", *rows]) + "\n"


def exit_codes() -> str:
    """The exit codes of each command that names some in its help."""
    from kb.cli import build_parser, verbs

    def told(words: str, parser: Any) -> Iterator[str]:
        text = " ".join(f"{parser.description or ''} {parser.epilog or ''}".split())
        if found := re.search(r"Exit codes?:? ((?:[^.]|\.\w)+)\.?", text):
            yield f"| `{words}` | {_cell(found[1])} |"
        for name, inner in verbs(parser).items():
            yield from told(f"{words} {name}", inner)

    return "\n".join(["| command | exit code |", "|---|---|", *told("kb", build_parser())]) + "\n"


def grammar(name: str) -> str:
    """The terminals of a grammar, each with the printk that it reads, as the comment above it says."""
    rows = ["| terminal | the kernel prints it in |", "|---|---|"]
    said: list[str] = []
    for line in (ROOT / "grammars" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("//"):
            said.append(line.lstrip("/ ").strip())
        elif found := re.match(r"([A-Z]\w+)(?:\.\d+)?:", line):
            if said:
                rows.append(f"| `{found[1]}` | {_code(' '.join(said))} |")
        elif not line:
            said = []
    return "\n".join(rows) + "\n"


def heads() -> str:
    """What each grammar says of itself."""
    parts = []
    for path in sorted((ROOT / "grammars").glob("*.lark")):
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("//"):
                break
            lines.append(line.removeprefix("//").strip())
        parts.append(f"[{path.name}](../../grammars/{path.name})\n: {_cell(' '.join(lines))}\n")
    return "\n".join(parts)


def cases() -> str:
    """The index of the case library, with links that lead out of here."""
    import generate

    text = generate.kb("case", "index").partition("\n## ")
    return re.sub(r"\]\(([\w-]+/case\.md)\)", r"](../../cases/\1)", text[1].lstrip() + text[2])
