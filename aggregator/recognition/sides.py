"""Which photos of a card show its front and its back, told by print: large words are on the front."""

from collections.abc import Sequence, Set

from aggregator.recognition.reading import Line

# A later photo is the front only where its largest word is as many times taller than the first one's.
_TALLER = 1.5
# A line is a word, and no number or ornament, from so many letters on, read as surely as this.
_LETTERS = 3
_READ = 0.6
# Two photos with more of their words in common show one side.
_ALIKE = 0.5


def front(sheets: Sequence[Sequence[Line]]) -> int:
    """The place of the front among photos, each given by its lines; the first unless print says otherwise."""
    tallest = [_tallest(lines) for lines in sheets]
    best = max(range(len(tallest)), key=tallest.__getitem__)
    return best if tallest[best] > _TALLER * tallest[0] else 0


def back(sheets: Sequence[Sequence[Line]], front: int) -> int | None:
    """The place of the back: the first photo that does not show what the front does; None where there is none."""
    words = [_words(lines) for lines in sheets]
    others = (place for place in range(len(words)) if place != front and not _are_alike(words[place], words[front]))
    return next(others, None)


def _tallest(lines: Sequence[Line]) -> float:
    return max((line.height for line in lines if _is_word(line)), default=0.0)


def _is_word(line: Line) -> bool:
    return line.confidence > _READ and sum(map(str.isalpha, line.text)) >= _LETTERS


def _words(lines: Sequence[Line]) -> Set[str]:
    return {word.casefold() for line in lines for word in line.text.split() if len(word) >= _LETTERS}


def _are_alike(one: Set[str], other: Set[str]) -> bool:
    return len(one & other) > _ALIKE * len(one | other)
