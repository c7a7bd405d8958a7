"""What shops say to people: plain text in several languages, checked so that it can be shown as it is.

Bounds stand in the types, so that the published schemas say all of what is checked.
"""

from typing import Annotated

from msgspec import Meta

# `$` alone would let a line break through at the end.
END = r"$(?!\n)"
LINE = rf"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*{END}"
LINES = r"^[^\x00-\x20\x7f][^\x00-\x09\x0b-\x1f\x7f]*$"

Language = Annotated[str, Meta(pattern=rf"^[a-z]{{2,8}}{END}", description="A language, like ru or en.")]

RU_OR_EN = {"anyOf": [{"required": ["ru"]}, {"required": ["en"]}]}

Name = Annotated[str, Meta(pattern=LINE, max_length=80)]
Sentence = Annotated[str, Meta(pattern=LINE, max_length=200)]
Paragraph = Annotated[str, Meta(pattern=LINES, max_length=2_000)]
Texts = Meta(min_length=1, max_length=20, description="By language; ru or en is needed.", extra_json_schema=RU_OR_EN)
Names = Annotated[dict[Language, Name], Texts]
Paragraphs = Annotated[dict[Language, Paragraph], Texts]


def speaks(texts: dict[str, str]) -> bool:
    """Whether a text is there in a language that everybody here reads: Russian or English."""
    return "ru" in texts or "en" in texts
