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


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    if not schema.get("properties"):
        yield f"{schema.get('description', _typed(schema))}\n"
        return
    if "description" in schema:
        yield f"{schema['description']}\n"
    yield "| field | type | means |\n|---|---|---|"
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        mark = "" if name in required else " (may be absent)"
        yield f"| `{name}` | {_cell(_typed(field))} | {_cell(field.get('description', ''))}{mark} |"
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


def http() -> str:
    """Each request of the service, from its own OpenAPI document."""
    from kb.serve.app import build

    nobody: Any = None  # the document does not depend on who answers
    document = build(nobody).openapi()
    parts = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(f"## {method.upper()} {path}\n")
            parts.append(f"{(operation.get('description') or operation.get('summary', '')).strip()}\n")
            parameters = operation.get("parameters", ())
            if parameters:
                parts.append("| parameter | in | type | means |\n|---|---|---|---|")
                parts += [
                    f"| `{each['name']}` | {each['in']} | {_cell(_typed(each['schema']))} |"
                    f" {_cell(each.get('description', ''))} |"
                    for each in parameters
                ]
                parts.append("")
            answers = []
            for status, answer in sorted(operation["responses"].items()):
                media = ", ".join(f"`{each}`" for each in answer.get("content", {}))
                answers.append(f"- **{status}** {answer.get('description', '').strip()}{f': {media}' if media else ''}")
            parts += [*answers, ""]
    return "\n".join(parts).rstrip() + "\n"


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
