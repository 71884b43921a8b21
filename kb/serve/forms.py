"""Bodies of the interface as types: what /openapi.json says of them. What kb's own JSON holds is said by its schema."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Row = dict[str, Any]
"""An object that names its ``schema``."""


_NOTE = 1 << 16


def _short(text: str) -> str:
    if len(text) > _NOTE:
        raise ValueError(f"longer than {_NOTE} characters")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Note(_Strict):
    """An annotation to add."""

    subject: str = Field(pattern="^(signature|case):.", max_length=300, description="``signature:ID`` or ``case:ID``")
    # not as maxLength: who makes texts of a pattern and a length, as tests of the document do, takes minutes for it
    body: Annotated[str, AfterValidator(_short)] = Field(
        pattern=r"\S", description=f"At most {_NOTE} characters, not all of them blank"
    )
    author: str | None = Field(None, pattern=r"\S", max_length=200, description="The token's name by default")
    key: str | None = Field(
        None, min_length=1, max_length=300, description="A name of the sender's own: it is added once"
    )


class Question(_Strict):
    """A question, and the log that it is about."""

    question: str = Field(pattern=r"^[^\r\n]*\S[^\r\n]*$", max_length=1000, description="One line, English or Chinese")
    log: str | None = Field(None, description="The log's text")
    lang: str = Field("auto", pattern="^(auto|en|zh)$", description="Of the answer: `auto` is that of the question")


class Recorded(BaseModel):
    """A report that is in the store."""

    signature: str = Field(description="Its id")
    title: str = Field(description="In syzbot's convention")
    kind: str = Field(description="Kind of the report")
    new: bool = Field(description="False: this event had been recorded before")
    count: int = Field(description="Sightings of the signature when this one was recorded")
    first: str | None = Field(None, description="When it was seen first, if before: UTC, ISO 8601")
    href: str = Field(description="Path of the signature's page at the service")


class Records(BaseModel):
    """What a log's reports became."""

    recorded: list[Recorded] = Field(description="In the order of the log")
    notes: list[str] = Field(description="What was wrong with the input")


class Annotation(BaseModel):
    """A note."""

    id: str = Field(description="Id of the note")
    subject: str = Field(description="``signature:ID`` or ``case:ID``")
    author: str = Field(description="Who wrote it")
    time: str = Field(description="When: UTC, ISO 8601")
    body: str = Field(description="Its text")


class SignatureItem(BaseModel):
    """A signature and how often it was seen."""

    signature: str = Field(description="Its id")
    key: str = Field(description="What the id is the hash of")
    title: str = Field(description="In syzbot's convention")
    kind: str = Field(description="Kind of the reports")
    first: str = Field(description="When it was first seen: UTC, ISO 8601")
    last: str = Field(description="When it was last seen")
    count: int = Field(description="Sightings, each event counted once")


class SignaturePage(BaseModel):
    """Signatures, and where the next page begins."""

    signatures: list[SignatureItem] = Field(description="In the order that was asked for")
    after: str | None = Field(None, description="Give it as ``after`` for the next page")


class CaseItem(BaseModel):
    """A case in a list."""

    id: str = Field(description="Id of the case")
    status: str = Field(description="What was done to it: `reviewed`, `sighted`, `unsighted`, `imported`")
    title: str = Field(description="What goes wrong")


class CaseList(BaseModel):
    """Cases."""

    cases: list[CaseItem] = Field(description="By id, or the best first")


class Taken(BaseModel):
    """How much of a live log was taken; what it says is in the store when its reports are over."""

    records: int = Field(description="Lines that the kernel printed")
    unread: int = Field(0, description="Values of JSON beside them in which no record of a log was found")


class State(BaseModel):
    """Whether the service lives."""

    status: str = Field(description="`ok`, or what is wrong")
    reason: str | None = Field(None, description="Why no log can be read now")
