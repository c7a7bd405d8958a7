"""Train the small networks that read Russian letters, and faint digits, off what PP-OCRv6 sees
(`aggregator/recognition/letters.py`).

    python scripts/letters.py lines LINES.npz [--count 9000] [--seed 1] [--numbers]
    python scripts/letters.py train LINES.npz [LINES.npz …] [--out WEIGHTS.npz] [--without FONT]

`lines` draws names of the shop directory, card words and made-up words in every installed font that has Russian
letters, photographs them badly, and keeps what the large network knew of each step; with `--numbers` card numbers
instead, half of them embossed, and worse photos. `train` fits a small network by connectionist temporal classification
(Graves et al. 2006); fonts whose file names begin with a `--without` only judge. About 70 ms a line to draw and 30 s an
epoch of 17,000 lines on one core. No picture and no font is kept.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

# More threads than cores' worth of small products only wait for each other.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aggregator.merchants.directory import Directory
from aggregator.recognition.letters import LATIN_TWINS, WEIGHTS
from aggregator.recognition.ppocr import STRIP_HEIGHT, Models

Pixels = np.ndarray[Any, Any]

LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
CARD_WORDS = (  # noqa: SIM905 -- words are read and changed more easily so
    "карта постоянного покупателя клубная дисконтная бонусная лояльности скидки каждый день накапливайте баллы "
    "подарочная накопительная номер карты действительна владелец магазин супермаркет аптека спасибо за покупку клиент "
    "привилегия выгода участник программы предъявите на кассе цветы одежда обувь мебель техника книги кафе ресторан "
    "пекарня хлеб молоко сыр дом сад ремонт строй инструмент связь оптика клиника здоровье красота парфюмерия детские "
    "игрушки спорт фитнес билеты кино горячая линия объявление съезд подъезд этаж эхо щётка щенок ещё площадь чаща "
    "шапка широкий южный юность яблоко якорь ёлка живой жёлтый фонарь футбол хорошо цена центр цирк"
).split()
NUMBER_WORDS = ("№ ", "Карта № ", "Номер карты ", "до ", "тел. ")
LABELS = ("", "", "", "", "№ ", "No ", "Карта № ", "ID ", "Card No. ", "Номер карты ", "N ", "ID: ", "Карта ", "#")
# What stands for every character but digits and spaces where only numbers are read.
OTHER = "*"
# Weights too thin to be printed on a card.
TOO_THIN = re.compile(r"Emoji|Symbol|Math|Thin|ExtraLight|-Light|Hairline")

FEATURES = 120
REACH = 2
HIDDEN = 320
BATCH = 48


class Course(NamedTuple):
    """What a network is to learn from.

    said      makes up a text
    language  that the fonts must have
    embossed  how many lines of one are
    blurred   by how much at most, in pixels of the strip
    beside    how much of the card is seen on either side at most, in heights of the text
    """

    said: Callable[[random.Random], str]
    language: str
    embossed: float
    blurred: float
    beside: float


class Line(NamedTuple):
    """What is written, in which font, and the strip as a photo of it would show it."""

    text: str
    font: str
    strip: Pixels


# ---------------------------------------------------------------- lines


def names() -> tuple[list[str], list[str]]:
    """Names of shops in Russian letters and in Latin ones."""
    every = {name for shop in Directory.read() for name in (*shop.names, *shop.aliases) if 2 <= len(name) <= 24}
    russian = [name for name in every if re.fullmatch(r"[А-яЁё0-9 .,&'\"+№:!-]+", name) and re.search("[А-яё]", name)]
    return sorted(russian), sorted(name for name in every if re.fullmatch(r"[A-Za-z0-9 .,&'+:!-]+", name))


def fonts(language: str) -> dict[str, list[str]]:
    """Families of installed fonts that have a language, so that large ones do not outweigh the others."""
    asked = ["fc-list", f":lang={language}", "file"]
    listing = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    families: dict[str, list[str]] = {}
    for path in sorted(line.strip().rstrip(":") for line in listing.splitlines()):
        if path.endswith(("ttf", "otf")) and not TOO_THIN.search(path):
            families.setdefault(re.split(r"[-0-9_.]", Path(path).name)[0], []).append(path)
    return families


def said(dice: random.Random, russian: Sequence[str], latin: Sequence[str]) -> str:
    """Something a card may say, capitals and small letters as they come."""
    kinds = (
        lambda: dice.choice(russian),
        lambda: " ".join(dice.choices(CARD_WORDS, k=dice.choice((1, 1, 2, 3)))),
        lambda: "".join(dice.choices(LETTERS, k=dice.randint(3, 10))),
        lambda: dice.choice(NUMBER_WORDS) + "".join(dice.choices("0123456789 ", k=dice.randint(4, 14))),
        lambda: f"{dice.choice(russian)} {dice.choice(latin)}",
        lambda: dice.choice(latin),
    )
    (kind,) = dice.choices(kinds, (42, 13, 13, 6, 6, 20))
    text = " ".join(kind().split())[:26]
    return dice.choice((text.upper(), text.upper(), text.lower(), text.capitalize(), text, text, text))


def number_said(dice: random.Random) -> str:
    """A card's number, grouped and labelled in one way or another; at times a date, a phone number or words."""
    if dice.random() < 0.12:
        words = " ".join(dice.choices(CARD_WORDS, k=2)).upper()
        day = f"{dice.randint(1, 12):02}/{dice.randint(20, 35)}"
        date = f"до 31.{dice.randint(1, 12):02}.2027"
        return dice.choice((words[:24], f"VALID THRU {day}", date, f"{words[:9]} -10%"))
    digits = "".join(dice.choices("0123456789", k=dice.choice((8, 9, 10, 11, 12, 13, 13, 13, 14, 16, 16, 16, 17, 19))))
    size = dice.choice((3, 4, 4, 6, len(digits), len(digits)))
    first = dice.choice((0, 0, 0, 1)) if size < len(digits) else 0
    groups = [digits[:first]] if first else []
    groups += [digits[start : start + size] for start in range(first, len(digits), size)]
    return dice.choice(LABELS) + " ".join(groups)


def only_digits(text: str) -> str:
    """The text as a reader of numbers should give it."""
    return "".join(letter if letter in "0123456789 " else OTHER for letter in text)


def drawn(dice: random.Random, text: str, path: str) -> Pixels:
    """The letters alone, 0 to 1: spaced or slanted at times."""
    size = dice.randint(44, 90)
    font = ImageFont.truetype(path, size)
    spacing = dice.choice((0, 0, 0, 0, size * 0.06, size * 0.15))
    width = int(sum(font.getlength(letter) + spacing for letter in text)) + 80
    height = sum(font.getmetrics()) + 40
    mask = Image.new("L", (width, height))
    draw, x = ImageDraw.Draw(mask), 30.0
    for part in text if spacing else [text]:
        draw.text((x, 20), part, font=font, fill=255)
        x += font.getlength(part) + spacing
    slant = dice.choice((0, 0, 0, 0.18, 0.25, dice.uniform(-0.1, 0.3)))
    matrix = (1, slant, -slant * height * 0.5, 0, 1, 0)
    return np.asarray(mask.transform(mask.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)) / 255.0


def background(dice: random.Random, height: int, width: int) -> Pixels:
    """A plain colour, a slope of light, or some shapes."""
    colour = np.array([dice.randint(0, 255) for _ in range(3)], np.float32)
    paper = np.tile(colour, (height, width, 1))
    if dice.random() < 0.5:
        slope = np.linspace(0, 1, width)[None, :, None] * np.array([dice.uniform(-70, 70) for _ in range(3)])
        paper = paper + slope
    for _ in range(dice.choice((0, 0, 1, 3))):
        shape = paper.copy()
        tone = [float(part) + dice.uniform(-60, 60) for part in colour]
        cv2.circle(
            shape, (dice.randint(0, width), dice.randint(0, height)), dice.randint(10, max(12, height)), tone, -1
        )
        paper += (shape - paper) * dice.uniform(0.2, 0.7)
    return paper.clip(0, 255)


def printed(dice: random.Random, mask: Pixels, embossed: float) -> Pixels:
    """The letters on a background: embossed with this chance, else flat or with a shadow or an outline."""
    picture = background(dice, *mask.shape)
    mean = picture.mean(axis=(0, 1))
    ink = max(
        (np.array([dice.randint(0, 255) for _ in range(3)]) for _ in range(3)), key=lambda c: abs((c - mean).sum())
    )
    style = dice.random()
    if dice.random() < embossed:
        picture = raised(dice, picture, mask)
        metal = np.array([dice.uniform(190, 225)] * 2 + [dice.uniform(80, 220)])
        ink = mean * 1.12 + 8 if dice.random() < 0.6 else metal
    elif style < 0.3:
        picture = laid(picture, (0, 0, 0), cv2.GaussianBlur(np.roll(mask, (5, 5), (0, 1)), (0, 0), 3) * 0.6)
    elif style < 0.45:
        edge = (255, 255, 255) if ink.sum() < 384 else (0, 0, 0)
        picture = laid(picture, edge, cv2.dilate(mask, np.ones((7, 7))))
    return laid(picture, ink, mask)


def raised(dice: random.Random, picture: Pixels, mask: Pixels) -> Pixels:
    """Shade on one side of the letters and light on the other, as if they stood out of the card."""
    way = dice.choice(((1, 1), (1, 1), (1, -1), (1, 0), (-1, -1)))
    for tone, steps, soft in ((20, dice.uniform(1.5, 4), 1.5), (255, -dice.uniform(1, 3), 1)):
        shift = tuple(round(steps * step) for step in way)
        edge = cv2.GaussianBlur(np.roll(mask, shift, (0, 1)), (0, 0), soft * dice.uniform(0.7, 1.3))
        picture = laid(picture, (tone, tone, tone), edge * dice.uniform(0.4, 0.8))
    return picture


def laid(picture: Pixels, ink: Sequence[float] | Pixels, mask: Pixels) -> Pixels:
    return picture * (1 - mask[..., None]) + np.asarray(ink) * mask[..., None]


def photographed(dice: random.Random, picture: Pixels, mask: Pixels, blurred: float) -> Pixels:
    """The strip a detector would cut out of a photo: askew, small, with glare, blur, noise and compression."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    tall = float(rows[-1] - rows[0] + 1)
    margin = dice.uniform(0.02, 0.28) * tall
    left, right, top, bottom = columns[0] - margin, columns[-1] + margin, rows[0] - margin, rows[-1] + margin
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    corners += [[dice.uniform(-0.07, 0.07) * tall for _ in range(2)] for _ in range(4)]
    scale = dice.uniform(14, 60) / (bottom - top)
    height, width = max(10, int((bottom - top) * scale)), max(10, int((right - left) * scale))
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    photo = cv2.warpPerspective(picture.astype(np.float32), warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if dice.random() < 0.3:
        glare = np.exp(-(((np.arange(width) - dice.uniform(0, width)) / (width * dice.uniform(0.05, 0.4))) ** 2))
        photo = photo + (glare * dice.uniform(20, 160))[None, :, None]
    photo = cv2.GaussianBlur(photo * dice.uniform(0.4, 1.1), (0, 0), max(0.2, dice.uniform(0.2, blurred) * height / 48))
    if dice.random() < 0.1 * blurred:
        photo = moved(photo, dice.uniform(0.04, 0.08 * blurred) * height, dice.uniform(0, np.pi))
    grain = np.random.default_rng(dice.getrandbits(32)).normal(0, dice.uniform(0.1, 10), (height, width, 1))
    coded = cv2.imencode(
        ".jpg", (photo + grain).clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, dice.randint(35, 92)]
    )[1]
    size = (max(8, min(1152, round(STRIP_HEIGHT * width / height))), STRIP_HEIGHT)
    return cv2.resize(cv2.imdecode(coded, cv2.IMREAD_COLOR), size, interpolation=cv2.INTER_AREA)


def moved(photo: Pixels, far: float, way: float) -> Pixels:
    """As if the camera had moved so many pixels in that direction."""
    size = max(3, round(far) | 1)
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1
    turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), np.degrees(way), 1)
    kernel = cv2.warpAffine(kernel, turn, (size, size))
    return cv2.filter2D(photo, -1, kernel / kernel.sum())


def courses() -> dict[bool, Course]:
    """For letters, and for numbers."""
    russian, latin = names()
    letters = Course(lambda dice: said(dice, russian, latin), "ru", 0.12, 1.6, 0.0)
    return {False: letters, True: Course(number_said, "en", 0.5, 4.0, 6.0)}


def lines(count: int, seed: int, course: Course) -> Iterator[Line]:
    """So many lines, the same for a seed, a directory and a set of fonts."""
    dice = random.Random(seed)
    families = fonts(course.language)
    while count:
        text, path = course.said(dice), dice.choice(families[dice.choice(sorted(families))])
        if not covers(path, text):
            continue
        mask = drawn(dice, text, path)
        if text and mask.any():
            yield Line(text, Path(path).name, seen_on_a_card(dice, mask, course))
            count -= 1


def covers(path: str, text: str) -> bool:
    """Whether a font has every character of a text (a missing one is drawn as all missing ones are)."""
    font = ImageFont.truetype(path, 24)
    missing = bytes(font.getmask("\uffff"))
    return all(bytes(font.getmask(letter)) != missing for letter in {*text} - {" "})


def seen_on_a_card(dice: random.Random, mask: Pixels, course: Course) -> Pixels:
    """The strip of a photo that shows these letters, and the card beside them where the course wants it."""
    tall = int(np.ptp(np.flatnonzero(mask.any(axis=1))))
    sides = [(0, 0), [int(tall * dice.choice((0, dice.uniform(0, course.beside)))) for _ in range(2)]]
    mask = np.pad(mask, sides)
    edges = mask.copy()
    # What the strip shall show at least.
    edges[mask.shape[0] // 2, [30, -31]] = 1
    return photographed(dice, printed(dice, mask, course.embossed), edges if any(sides[1]) else mask, course.blurred)


def columns_of(alphabet: Sequence[str]) -> Pixels:
    """The characters whose probabilities tell what the network knew: all of Europe's and some Chinese ones."""
    western = [place for place, one in enumerate(alphabet) if len(one) == 1 and (" " <= one < "ƀ" or "Ͱ" <= one < "Ѐ")]
    eastern = [place for place, one in enumerate(alphabet) if len(one) == 1 and "一" <= one < "鿿"]
    return np.array([0, *western, *eastern[:: len(eastern) // 160]])


def save_lines(path: Path, count: int, seed: int, numbers: bool) -> None:
    """Draw lines and keep, one after the other, the logarithms of their probabilities."""
    models = Models()
    columns = columns_of(models.alphabet)
    logs, texts, names_of_fonts = [], [], []
    for line in lines(count, seed, courses()[numbers]):
        signal = np.log(np.maximum(models.signal(line.strip)[:, columns], 1e-38))
        logs.append((signal - signal[:, 1:].mean(axis=1, keepdims=True)).astype(np.float16))
        texts.append(only_digits(line.text) if numbers else line.text)
        names_of_fonts.append(line.font)
    steps = np.array([len(one) for one in logs])
    about = json.dumps([texts, names_of_fonts])
    np.savez(path, columns=columns, steps=steps, logs=np.concatenate(logs), about=about)


# ---------------------------------------------------------------- training


class Example(NamedTuple):
    """The features of a line's steps, and its letters as classes (0 is no letter)."""

    features: Pixels
    classes: list[int]


class Trainer:
    """Two layers over each step and its neighbours, fitted by Adam with warm-up and a cosine's way down."""

    def __init__(self, paths: Sequence[Path], without: tuple[str, ...]) -> None:
        packs = [np.load(path) for path in paths]
        self._columns = packs[0]["columns"]
        self._mean, self._axes = axes_of(packs[0]["logs"][:40_000].astype(np.float32))
        texts = [folded(text) for pack in packs for text in json.loads(str(pack["about"]))[0]]
        counts = Counter(letter for text in texts for letter in text)
        self._alphabet = "".join(sorted(letter for letter, count in counts.items() if count >= 12))
        self._fitted, self._judged = self._examples(packs, texts, without)
        self._rng = np.random.default_rng(0)
        self._weights = self._first_weights()
        self._moments = [(np.zeros_like(one), np.zeros_like(one)) for one in self._weights]
        self._step = 0

    def _examples(self, packs: Sequence[Any], texts: list[str], without: tuple[str, ...]) -> tuple[Any, Any]:
        place = {letter: number + 1 for number, letter in enumerate(self._alphabet)}
        fitted, judged, text = [], [], iter(texts)
        for pack in packs:
            for logs, font in zip(
                np.split(pack["logs"], pack["steps"].cumsum()[:-1]), json.loads(str(pack["about"]))[1], strict=True
            ):
                classes = [place[letter] for letter in next(text) if letter in place]
                # Repeated letters need a step between them.
                if 0 < len(classes) + sum(map(int.__eq__, classes, classes[1:])) <= len(logs):
                    features = ((logs.astype(np.float32) - self._mean) @ self._axes).clip(-8, 8)
                    (judged if without and font.startswith(without) else fitted).append(Example(features, classes))
        return fitted, judged

    def _first_weights(self) -> list[Pixels]:
        wide, out = FEATURES * (2 * REACH + 1), len(self._alphabet) + 1
        hidden = self._rng.normal(0, np.sqrt(2 / wide), (wide, HIDDEN))
        output = self._rng.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, out))
        return [one.astype(np.float32) for one in (hidden, np.zeros(HIDDEN), output, np.eye(1, out)[0])]

    def run(self, epochs: int, out: Path) -> None:
        """Train, say after every epoch how many letters are wrong on the judging fonts, and write the weights."""
        batches = self._batches()
        for epoch in range(epochs):
            self._rng.shuffle(batches)
            for batch in batches:
                self._learn(batch, epochs * len(batches))
            print(epoch, f"letters wrong: {self.wrong():.4f}" if self._judged else "", flush=True)
        hidden, hidden_bias, output, output_bias = (one.astype(np.float16) for one in self._weights)
        np.savez_compressed(
            out,
            columns=self._columns.astype(np.int32),
            mean=self._mean,
            axes=self._axes.astype(np.float16),
            hidden=hidden,
            hidden_bias=hidden_bias,
            output=output,
            output_bias=output_bias,
            alphabet=np.array(self._alphabet),
        )

    def _batches(self) -> list[list[Example]]:
        """Lines of like length together."""
        ordered = sorted(self._fitted, key=lambda one: len(one.features))
        return [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]

    def _learn(self, batch: Sequence[Example], steps_in_all: int) -> None:
        lengths = np.array([len(one.features) for one in batch])
        seen = np.zeros((len(batch), lengths.max(), FEATURES), np.float32)
        for place, one in enumerate(batch):
            seen[place, : lengths[place]] = one.features
        around = neighbours(seen + self._rng.normal(0, 0.1, seen.shape).astype(np.float32))
        hidden, likely = self._forward(around)
        wanted = expected(likely, lengths, [one.classes for one in batch])
        within = (np.arange(lengths.max()) < lengths[:, None])[..., None]
        slope = (likely - wanted) * within / len(batch) / 8
        back = (slope @ self._weights[2].T) * (hidden > 0)
        gradients = [np.tensordot(around, back, ((0, 1), (0, 1))), back.sum(axis=(0, 1))]
        gradients += [np.tensordot(hidden, slope, ((0, 1), (0, 1))), slope.sum(axis=(0, 1))]
        self._move(gradients, steps_in_all)

    def _forward(self, around: Pixels) -> tuple[Pixels, Pixels]:
        hidden = np.maximum(around @ self._weights[0] + self._weights[1], 0)
        scores = hidden @ self._weights[2] + self._weights[3]
        likely = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return hidden, likely / likely.sum(axis=-1, keepdims=True)

    def _move(self, gradients: Sequence[Pixels], steps_in_all: int) -> None:
        self._step += 1
        rate = 2e-3 * min(1, self._step / 100) * max(0.02, (1 + np.cos(np.pi * self._step / steps_in_all)) / 2)
        for place, gradient in enumerate(gradients):
            first, second = self._moments[place]
            first = first + 0.1 * (gradient - first)
            second = second + 0.001 * (gradient**2 - second)
            self._moments[place] = (first, second)
            scale = np.sqrt(second / (1 - 0.999**self._step)) + 1e-8
            shrunk = 1e-3 * self._weights[place] * (gradient.ndim == 2)
            self._weights[place] -= rate * (first / (1 - 0.9**self._step) / scale + shrunk)

    def wrong(self) -> float:
        """Edits per letter on the lines that only judge."""
        edits = letters = 0
        for one in self._judged:
            _, likely = self._forward(neighbours(one.features[None]))
            best = likely[0].argmax(axis=1)
            said_so = [int(now) for before, now in zip([0, *best], best, strict=False) if now and now != before]
            edits += distance(said_so, one.classes)
            letters += len(one.classes)
        return edits / letters


def axes_of(logs: Pixels) -> tuple[Pixels, Pixels]:
    """Where the logarithms lie on average, and the directions in which they differ, of spread 1 each."""
    mean = logs.mean(axis=0)
    _, spread, ways = np.linalg.svd(logs - mean, full_matrices=False)
    scale = (spread[:FEATURES] / np.sqrt(len(logs))).clip(1e-3)
    return mean, (ways[:FEATURES].T / scale).astype(np.float32)


def folded(text: str) -> str:
    """Letters of one shape in both alphabets as the Russian one."""
    return text.translate(str.maketrans({latin: russian for russian, latin in LATIN_TWINS.items()}))


def neighbours(seen: Pixels) -> Pixels:
    """Each step of shape (lines, steps, features) beside those around it."""
    padded = np.pad(seen, ((0, 0), (REACH, REACH), (0, 0)))
    return np.concatenate([padded[:, start : start + seen.shape[1]] for start in range(2 * REACH + 1)], axis=2)


def expected(likely: Pixels, lengths: Pixels, classes: Sequence[list[int]]) -> Pixels:
    """How likely every class is at every step, given what the line says: forward and backward along its letters."""
    count, steps, _ = likely.shape
    path = np.zeros((count, 2 * max(map(len, classes)) + 1), int)
    for place, one in enumerate(classes):
        path[place, 1 : 2 * len(one) : 2] = one
    ends = np.array([2 * len(one) for one in classes])
    leap = np.zeros(path.shape, bool)
    leap[:, 2:] = (path[:, 2:] != 0) & (path[:, 2:] != path[:, :-2])
    chance = np.take_along_axis(likely, np.broadcast_to(path[:, None], (count, steps, path.shape[1])), 2) + 1e-12
    ahead = np.zeros(chance.shape)
    ahead[:, 0, :2] = chance[:, 0, :2]
    for step in range(1, steps):
        ahead[:, step] = normal(arriving(ahead[:, step - 1], leap) * chance[:, step])
    wanted = np.zeros(likely.shape, np.float32)
    behind = np.zeros(path.shape)
    rows = np.arange(count)
    for step in reversed(range(steps)):
        behind = normal(leaving(behind * chance[:, step + 1], leap)) if step + 1 < steps else behind
        last = lengths - 1 == step
        behind[last] = 0
        behind[rows[last], ends[last]] = behind[rows[last], ends[last] - 1] = 1
        np.add.at(wanted, (rows[:, None], step, path), normal(ahead[:, step] * behind))
    return wanted


def arriving(before: Pixels, leap: Pixels) -> Pixels:
    """What comes to each place of the path: from itself, from the one before, or over a blank."""
    now = before.copy()
    now[:, 1:] += before[:, :-1]
    now[:, 2:] += np.where(leap[:, 2:], before[:, :-2], 0)
    return now


def leaving(after: Pixels, leap: Pixels) -> Pixels:
    """The same the other way."""
    now = after.copy()
    now[:, :-1] += after[:, 1:]
    now[:, :-2] += np.where(leap[:, 2:], after[:, 2:], 0)
    return now


def normal(chances: Pixels) -> Pixels:
    return chances / (chances.sum(axis=-1, keepdims=True) + 1e-300)


def distance(one: Sequence[int], other: Sequence[int]) -> int:
    """How many edits turn one into the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        above, row = row, [place]
        for column, wanted in enumerate(other):
            row.append(min(above[column] + (letter != wanted), above[column + 1] + 1, row[-1] + 1))
    return row[-1]


def main() -> None:
    """Draw lines, or train on them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("lines")
    draw.add_argument("path", type=Path)
    draw.add_argument("--count", type=int, default=9_000)
    draw.add_argument("--seed", type=int, default=1)
    draw.add_argument("--numbers", action="store_true")
    train = commands.add_parser("train")
    train.add_argument("paths", type=Path, nargs="+")
    train.add_argument("--out", type=Path, default=WEIGHTS)
    train.add_argument("--without", action="append", default=[])
    train.add_argument("--epochs", type=int, default=13)
    options = parser.parse_args()
    if options.command == "lines":
        save_lines(options.path, options.count, options.seed, options.numbers)
    else:
        Trainer(options.paths, tuple(options.without)).run(options.epochs, options.out)


if __name__ == "__main__":
    main()
