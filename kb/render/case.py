"""A case -> text: what it demands, explains and advises."""

from kb.model.case import Case
from kb.render.safe import safe_lines


def case_text(case: Case) -> str:
    """A case for a terminal, with a line end."""
    out = [f"{case.title}", f"{case.id}   {case.status}   {', '.join(case.kind)}", "", case.summary]

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
    section("Sources", [f"{one.id}: {one.text or one.url}" for one in case.sources])
    return safe_lines("\n".join([*out, "", case.prose.strip()])) + "\n"
