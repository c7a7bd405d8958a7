"""What a photo said: frozen values that answer questions about themselves."""

import msgspec

Point = tuple[int, int]
Box = tuple[Point, Point, Point, Point]


class Code(msgspec.Struct, frozen=True, omit_defaults=True):
    """One code of the card, as decoded.

    format      one of `codes.FORMATS`
    text        the payload as text; EAN and UPC in their normal form (see `docs/recognition.md`)
    raw         the payload's bytes as decoded
    votes       how many (photo, engine) pairs read exactly this
    box         its corners in pixels of the upright photo, clockwise from the symbol's own top left
    confidence  0 to 1, how often such a reading is right
    encoding    the character set the symbol itself announces for `raw` (its ECI), e.g. `utf-8`, where it does
    gs1         whether the symbol carries FNC1 first, so that its text is GS1 element strings
    photo       which of the card's photos `box` is a place in
    """

    format: str
    text: str
    raw: bytes
    votes: int
    box: Box
    confidence: float
    encoding: str | None = None
    gs1: bool = False
    photo: int = 0

    @property
    def area(self) -> float:
        """How much of the photo the symbol takes, in square pixels (the shoelace formula)."""
        pairs = zip(self.box, (*self.box[1:], self.box[0]), strict=True)
        return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


class NumberCandidate(msgspec.Struct, frozen=True):
    """A printed number; `check` names the check digit it passes (`luhn`, `gs1`), None where it passes none."""

    text: str
    confidence: float
    check: str | None = None


class Line(msgspec.Struct, frozen=True):
    """One printed line.

    box         its corners in pixels of the upright photo, clockwise from the start of the text
    height      of its letters as a share of the card's short side, 0 to 1
    confidence  of the engine that read it, 0 to 1
    """

    text: str
    box: Box
    height: float
    confidence: float


class Face(msgspec.Struct, frozen=True):
    """How the card looks: a small WebP picture and its dominant colour, `#rrggbb`.

    corners  of the card in pixels of the upright photo, clockwise from its own top left; None where no card was found
             and the picture is the whole photo
    """

    picture: bytes
    colour: str
    corners: Box | None = None


class Reading(msgspec.Struct, frozen=True):
    """All that was found; an unreadable photo is a Reading with nothing in it.

    codes       the likeliest first
    number      the printed number, where one was read
    lines       the printed text from top to bottom, the front's first
    face        the card's look, from the photo of its front
    front       which photo shows the card's front
    back        which shows its back, where one does
    timings_ms  milliseconds by step, summed over the photos
    """

    codes: tuple[Code, ...] = ()
    number: NumberCandidate | None = None
    lines: tuple[Line, ...] = ()
    face: Face | None = None
    front: int = 0
    back: int | None = None
    timings_ms: dict[str, int] = {}

    @property
    def best_code(self) -> Code | None:
        """The code a card should carry, unless the person says otherwise."""
        return self.codes[0] if self.codes else None

    @property
    def texts(self) -> frozenset[str]:
        """The payloads found, whatever their format."""
        return frozenset(code.text for code in self.codes)
