"""Logs in the files of office programs, browsers and mail programs."""

from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

from tests.log.containers.chats import Wrapped, lines, text


def archive(name: str, *members: tuple[str, str]) -> Wrapped:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for member, data in members:
            made.writestr(member, data.encode("utf-8", "replace"))
    return name, held.getvalue()


def docx(log: bytes) -> Wrapped:
    """A run per change of format: Word splits where it checked the spelling."""
    rows = []
    for row in lines(log):
        half = len(row) // 2
        runs = "".join(
            f'<w:r><w:rPr><w:sz w:val="16"/></w:rPr><w:t xml:space="preserve">{html.escape(part)}</w:t></w:r>'
            for part in (row[:half], row[half:])
        )
        rows.append(f'<w:p w:rsidR="00A1"><w:pPr><w:pStyle w:val="Code"/></w:pPr>{runs}</w:p>')
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:document xmlns:w="http://sch'
        f'emas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{"".join(rows)}</w:body></w:'
        "document>"
    )
    return archive(
        "a.docx", ("[Content_Types].xml", "<Types/>"), ("word/document.xml", body), ("word/styles.xml", "<w:styles/>")
    )


_SHEET = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="http://schema'
    's.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData>{}</worksheet>'
)


def workbook(log: bytes, *, inline: bool = False, one_cell: bool = False, columns: bool = True) -> Wrapped:
    """A sheet: texts are numbers into a table of strings, in which each stands once; or they stand in the cell."""
    strings: list[str] = []
    known: dict[str, int] = {}

    def cell(place: str, said: str) -> str:
        if inline:
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{html.escape(said)}</t></is></c>'
        if said not in known:
            known[said] = len(strings)
            strings.append(said)
        return f'<c r="{place}" s="1" t="s"><v>{known[said]}</v></c>'

    cells = []
    said = [text(log)] if one_cell else lines(log)
    for at, row in enumerate(said, 1):
        first = f'<c r="A{at}" s="2"><v>46354.6001{at:04}</v></c>' + cell(f"B{at}", "db17") if columns else ""
        place = f"C{at}" if columns else f"A{at}"
        cells.append(f'<row r="{at}" spans="1:3">{first}{cell(place, row)}</row>')
    merged = '<mergeCells count="1"><mergeCell ref="C1:F1"/></mergeCells>'
    table = "".join(f'<si><t xml:space="preserve">{html.escape(one)}</t></si>' for one in strings)
    shared = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst xmlns="http://schemas.open'
        f'xmlformats.org/spreadsheetml/2006/main" count="1" uniqueCount="{len(strings)}">{table}</'
        "sst>"
    )
    members = [
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", "<workbook/>"),
        ("xl/worksheets/sheet1.xml", _SHEET.format("".join(cells), merged)),
    ]
    return archive("a.xlsx", *members, *([] if inline else [("xl/sharedStrings.xml", shared)]))


def ods(log: bytes) -> Wrapped:
    """OpenDocument's sheet: equal cells in a row stand once, with a number."""
    rows = "".join(
        (
            f'<table:table-row><table:table-cell office:value-type="float" office:value="{at}"><text:p'
            f'>{at}</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"/><t'
            f"able:table-cell><text:p>{html.escape(row)}</text:p></table:table-cell></table:table-row>"
        )
        for at, row in enumerate(lines(log))
    )
    return archive(
        "a.ods",
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        (
            "content.xml",
            (
                '<?xml version="1.0"?><office:document-content xmlns:text="x" xmlns:table="y"><office:bod'
                f"y><office:spreadsheet><table:table>{rows}</table:table></office:spreadsheet></office:bod"
                "y></office:document-content>"
            ),
        ),
    )


def pptx(log: bytes) -> Wrapped:
    rows = "".join(f"<a:p><a:r><a:t>{html.escape(row)}</a:t></a:r></a:p>" for row in lines(log))
    slide = (
        '<?xml version="1.0"?>\n<p:sld xmlns:a="x" xmlns:p="y"><p:cSld><p:spTree><p:sp><p:txBody>'
        f"{rows}</p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
    )
    return archive("a.pptx", ("[Content_Types].xml", "<Types/>"), ("ppt/slides/slide1.xml", slide))


def epub(log: bytes) -> Wrapped:
    page = (
        "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><body><pre>"
        f"{html.escape(text(log))}</pre></body></html>"
    )
    return archive("a.epub", ("mimetype", "application/epub+zip"), ("OEBPS/1.xhtml", page))


def one_line_table(log: bytes) -> Wrapped:
    """A page of a viewer: rows and cells on one physical line."""
    rows = "".join(
        f"<tr class='r'><td>{at}</td><td>db17</td><td>{html.escape(row)}</td></tr>" for at, row in enumerate(lines(log))
    )
    return (
        "a.html",
        (
            "<!doctype html><html><head><title>log</title></head><body><table><thead><tr><th>n</th><t"
            f"h>host</th><th>message</th></tr></thead><tbody>{rows}</tbody></table></body></html>"
        ).encode(),
    )


def cells_on_lines(log: bytes) -> Wrapped:
    rows = "".join(
        f"<tr>\n<td>{at}</td>\n<td>db17</td>\n<td>{html.escape(row)}</td>\n</tr>\n" for at, row in enumerate(lines(log))
    )
    return "a.html", f"<html>\n<body>\n<table>\n{rows}</table>\n</body>\n</html>\n".encode()


def numbered_page(log: bytes) -> Wrapped:
    """A forge's page: the number in a cell of its own, words in spans."""
    rows = "".join(
        (
            f'<tr><td id="L{at}" data-line-number="{at}"></td><td class="blob-code"><span class="pl-k"'
            f">{html.escape(row[:20])}</span>{html.escape(row[20:])}</td></tr>\n"
        )
        for at, row in enumerate(lines(log), 1)
    )
    return "a.html", f"<html><body><table>{rows}</table></body></html>".encode()


def list_page(log: bytes) -> Wrapped:
    rows = "".join(f"<li><div>{html.escape(row)}</div></li>" for row in lines(log))
    return "a.html", f"<html><body><ol>{rows}</ol></body></html>".encode()


def span_page(log: bytes) -> Wrapped:
    """A log viewer: blocks on one line."""
    rows = "".join(
        f'<div class="line"><a href="#{at}">{at}</a><span style="color:red">{html.escape(row)}</span></div>'
        for at, row in enumerate(lines(log))
    )
    return "a.html", f'<!DOCTYPE html><html lang="en"><body><div id="log">{rows}</div></body></html>'.encode()


def mhtml(log: bytes) -> Wrapped:
    message = EmailMessage()
    message["Subject"] = "log"
    message.set_content(
        f"<html><body><pre>{html.escape(text(log))}</pre></body></html>", subtype="html", cte="quoted-printable"
    )
    message.make_related()
    return "a.mhtml", message.as_bytes()


def html_mail(log: bytes) -> Wrapped:
    """Outlook's: paragraphs, blanks that do not break."""
    rows = "".join(
        f'<p class=3D"MsoNormal">{html.escape(row).replace("  ", "&nbsp; ")}<o:p></o:p></p>\n'.replace("=3D", "=")
        for row in lines(log)
    )
    message = EmailMessage()
    message["Subject"] = "log"
    message.set_content(f"<html><body>{rows}</body></html>", subtype="html", cte="base64")
    return "a.eml", message.as_bytes()


def har(log: bytes) -> Wrapped:
    content = {"size": 1, "mimeType": "text/plain", "text": text(log)}
    return "a.har", json.dumps(
        {"log": {"version": "1.2", "entries": [{"request": {}, "response": {"content": content}}]}}
    ).encode()


def notebook_stream(log: bytes) -> Wrapped:
    """A cell that failed: coloured lines of a traceback, the log in one string."""
    output = {"output_type": "error", "ename": "E", "evalue": "", "traceback": lines(log)}
    return "a.ipynb", json.dumps(
        {"cells": [{"cell_type": "code", "source": ["!dmesg"], "outputs": [output]}], "nbformat": 4}
    ).encode()


def pdf(log: bytes) -> Wrapped:
    """A page a hundred lines, each shown by an operator of its own, as printers to PDF write it."""
    rows = lines(log)
    pages = [rows[at : at + 100] for at in range(0, len(rows), 100)] or [[]]
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{4 + 2 * at} 0 R' for at in range(len(pages)))}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    for at, page in enumerate(pages):
        shown = "".join(
            "({}) Tj T*\n".format(
                row.encode("ascii", "replace")
                .decode()
                .replace("\\", "\\\\")
                .replace("(", "\\(")
                .replace(")", "\\)")
                .replace("\t", "    ")
            )
            for row in page
        )
        stream = f"BT /F1 6 Tf 7 TL 20 820 Td\n{shown}ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1200 842] /Resources << /Font << /F1 3 0 R >"
            f"> >> /Contents {5 + 2 * at} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{each}\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{place:010} 00000 n \n" for place in places)
    return "a.pdf", (out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "docx": docx,
    "xlsx": workbook,
    "xlsx, texts in the cells": lambda log: workbook(log, inline=True),
    "xlsx, all in one cell": lambda log: workbook(log, one_cell=True),
    "xlsx, one column": lambda log: workbook(log, columns=False),
    "ods": ods,
    "pptx": pptx,
    "epub": epub,
    "a table on one line": one_line_table,
    "a cell a line": cells_on_lines,
    "a forge's page": numbered_page,
    "a list on one line": list_page,
    "a viewer's page": span_page,
    "mhtml": mhtml,
    "a mail of HTML": html_mail,
    "har": har,
    "a notebook's error": notebook_stream,
    "pdf": pdf,
}
