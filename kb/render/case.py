"""A case -> text: what it demands, explains and advises."""

from kb.model.case import Case, Source
from kb.model.verdict import Match
from kb.render.safe import safe_lines
from kb.words.speak import Words

_SEVERITIES = {
    "harmless": "severity.harmless", "watch": "severity.watch", "act": "severity.act", "stop": "severity.stop"
}  # fmt: skip


def asks(words: Words, match: Match) -> str:
    """What a match asks of who is on call, in a sentence."""
    name = _SEVERITIES.get(match.severity)
    return words(name) if name is not None else match.severity


def cited(source: Source) -> str:
    """What a source is and where: ``text, file (release), url``."""
    file = f"{source.file} ({source.release})" if source.release else source.file
    return ", ".join(part for part in (source.text, file, source.url) if part)


def case_text(case: Case) -> str:
    """A case for a terminal, with a line end."""
    head = "   ".join(part for part in (case.id, case.status, case.severity, ", ".join(case.kind)) if part)
    out = [case.title, head, "", case.summary]

    def section(name: str, rows: list[str]) -> None:
        if rows:
            out.extend(["", name, *(f"  {row}" for row in rows)])

    section("Demands", [one.text for one in case.require])
    for group in case.any:
        section("Or all of", [one.text for one in group])
    section("Refuted by", [one.text for one in case.refute])
    section("Supported by", [one.text for one in case.support])
    section("Affected", [f"{one.kernel}  ({one.by})" + (f"  {one.note}" if one.note else "") for one in case.affected])
    section(
        "Fixed by",
        [f'{fix.commit[:12]} ("{fix.subject}") {fix.branch} {fix.since or ""}'.rstrip() for fix in case.fixes],
    )
    section("Workarounds", [row for way in case.workarounds for row in (way.do, f"  but: {way.caveat}")])
    section(
        "Check",
        [row for step in case.verify for row in (step.run, f"  expect: {step.expect}", f"  means: {step.means}")],
    )
    section(
        "Disputes", [row for one in case.disputes for row in (one.claim, f"  {one.finding} ({one.source or one.by})")]
    )
    section("Sources", [f"{one.id}: {cited(one)}" for one in case.sources])
    section("Checked", [f"{one.what}  {one.on}  {one.against}" for one in case.checked])
    return safe_lines("\n".join([*out, "", case.prose.strip()])) + "\n"
