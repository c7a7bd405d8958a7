"""The intake under load: many uploads at once, memory over many photos, and how soon the first codes are told.

    python -m benchmarks.intake [DIR] [--uploads 50] [--photos 500] [--workers 2]

Starts the service as its own process and sends it the pictures of DIR, or cards drawn here. A 503 is
sent again after the seconds that its Retry-After names, as a client should. The last line is one JSON object.
"""

import argparse
import io
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")

import httpx
import psutil
import zxingcpp
from PIL import Image

from aggregator.codes import gs1_check_digit
from aggregator.settings import TEXT
from tests import faces, samples
from tests.service import Running, ServiceOptions, running

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic"}
NAMES = ("Перекрёсток", "Лента", "Магнит", "Аптека 36,6", "Corner Shop", "Спортмастер", "Дикси", "Зоозавр")
DRAWN = 24
# How many photos the first line is measured on, and how often each is sent.
FIRST_LINES = 20
ROUNDS = 5
# Photos that warm the service before memory is measured, and those sent side by side.
WARM_UP = 40
SENDERS = 3
WITHIN_S = 120.0


def drawn(number: int) -> bytes:
    """A photo of a card with a name, a number and its code."""
    digits = f"46{7_001_234_567 + 7_919 * number}"
    digits += gs1_check_digit(digits)
    card = faces.face((NAMES[number % len(NAMES)], 50, 110), ("Карта покупателя", 190, 44), (digits, 290, 60))
    label = samples.code("ean_13", digits, scale=4)
    card.paste(label.crop((0, 0, label.width, 190)), (60, 380))
    return samples.encoded(faces.photo(card, faces.corners_at((number * 7) % 40 - 20)), quality=90)


def pictures(folder: Path | None) -> list[bytes]:
    """The pictures of a folder, or drawn ones."""
    if folder is None:
        return [drawn(number) for number in range(DRAWN)]
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    return [path.read_bytes() for path in paths]


def form(picture: bytes) -> dict[str, Any]:
    """One photo as a form."""
    return {"files": {"photo": ("card.jpg", picture, "image/jpeg")}}


@dataclass(frozen=True)
class Upload:
    """What became of one photo: its last status, how often it was sent, seconds until it was answered."""

    status: int
    tries: int
    seconds: float


def upload(url: str, picture: bytes, deadline: float) -> Upload:
    """Send one photo until it is read, or there is no time left."""
    start = time.monotonic()
    with httpx.Client(base_url=url, timeout=WITHIN_S) as client:
        for tries in itertools.count(1):
            answer = client.post("/api/intake", **form(picture))
            wait_s = float(answer.headers.get("Retry-After", 0))
            if answer.status_code != 503 or time.monotonic() + wait_s > deadline:
                return Upload(answer.status_code, tries, time.monotonic() - start)
            time.sleep(wait_s)
    raise AssertionError


# ---------------------------------------------------------------- the three measurements


def flood(service: Running, photos: Sequence[bytes], count: int, within_s: float) -> dict[str, Any]:
    """All uploads at one moment; `cpu_s` is the service's, and `load` how many others wanted the cores."""
    start, spent = time.monotonic(), cpu_s(service.process.pid)
    deadline = start + within_s
    with ThreadPoolExecutor(count) as senders:
        chosen = itertools.islice(itertools.cycle(photos), count)
        sent = [senders.submit(upload, service.url, photo, deadline) for photo in chosen]
        done = [one.result() for one in sent]
    return {
        "uploads": count,
        "answered_200": sum(one.status == 200 for one in done),
        "at_first_try": sum(one.status == 200 and one.tries == 1 for one in done),
        "most_tries": max(one.tries for one in done),
        "mean_tries": round(statistics.mean(one.tries for one in done), 2),
        "seconds": round(max(one.seconds for one in done), 1),
        "cpu_s": round(cpu_s(service.process.pid) - spent, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def memory(service: Running, photos: Sequence[bytes], count: int) -> dict[str, Any]:
    """Resident megabytes of the server and its processes before and after, once they are warm."""
    many = itertools.cycle(photos)
    send(service.url, itertools.islice(many, WARM_UP))
    before = resident_mb(service.process.pid)
    statuses = send(service.url, itertools.islice(many, count))
    after = resident_mb(service.process.pid)
    return {"photos": count, "answered_200": statuses.count(200), "before": before, "after": after}


def send(url: str, photos: Iterable[bytes]) -> list[int]:
    """A few side by side, one after the other."""
    with ThreadPoolExecutor(SENDERS) as senders:
        deadline = time.monotonic() + 3_600
        return [one.status for one in senders.map(lambda photo: upload(url, photo, deadline), photos)]


def resident_mb(pid: int) -> dict[str, Any]:
    """Of the server, and of each of its processes."""
    server = psutil.Process(pid)
    workers = sorted(child.memory_info().rss for child in server.children(recursive=True))
    return {"server": megabytes(server.memory_info().rss), "workers": [megabytes(one) for one in workers]}


def cpu_s(pid: int) -> float:
    """Of the server and of its processes that live."""
    server = psutil.Process(pid)
    times = [one.cpu_times() for one in (server, *server.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def megabytes(count: int) -> int:
    return round(count / 1_000_000)


def first_line(url: str, photos: Sequence[bytes]) -> dict[str, Any]:
    """How long an idle server takes to tell codes, beside zxing-cpp alone in this process, on photos it reads."""
    found: list[tuple[float, float]] = []
    with httpx.Client(base_url=url, timeout=60) as client:
        for photo in itertools.islice(filter(zxing_s, photos), FIRST_LINES):
            # In turn, so that a machine that slows down slows both.
            times = [(told_s(client, photo), zxing_s(photo)) for _ in range(ROUNDS)]
            found.append((statistics.median(ours for ours, _ in times), statistics.median(one for _, one in times)))
    ratios = [ours / alone for ours, alone in found]
    return {
        "photos": len(found),
        "ours_ms": round(1000 * statistics.median(ours for ours, _ in found), 1),
        "zxing_ms": round(1000 * statistics.median(alone for _, alone in found), 1),
        "ratio": round(statistics.median(ratios), 2),
        "worst_ratio": round(max(ratios), 2),
    }


def told_s(client: httpx.Client, photo: bytes) -> float:
    """Seconds until the line with the codes has come; the rest is waited for, so that the server is idle again."""
    start, seconds = time.perf_counter(), 0.0
    with client.stream("POST", "/api/intake", headers={"Accept": "application/x-ndjson"}, **form(photo)) as answer:
        for line in answer.iter_lines():
            if not seconds and json.loads(line)["step"] == "barcodes":
                seconds = time.perf_counter() - start
    return seconds


def zxing_s(photo: bytes) -> float:
    """Seconds that zxing-cpp takes from a file's bytes to its codes; 0 where it finds none."""
    start = time.perf_counter()
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(photo)))
    return time.perf_counter() - start if found else 0.0


# ---------------------------------------------------------------- the table


@contextmanager
def started(workers: int, text: str) -> Iterator[Running]:
    """The service in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("--limit-scale", "100000", "--workers", str(workers), "--text", text)
        with running(ServiceOptions(Path(folder), arguments)) as service:
            yield service


def table(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, figures in found.items():
        for figure, value in figures.items():
            yield f"{name:12}{figure:16}{value}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--uploads", type=int, default=50)
    parser.add_argument("--within", type=float, default=WITHIN_S, help="seconds after which nobody tries again")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--text", choices=TEXT, default=TEXT[0], help="whether print is read, too")
    parser.add_argument("--only", choices=("first-line", "flood", "memory"), help="one of the three measurements")
    asked = parser.parse_args()
    photos = pictures(asked.folder)
    with started(asked.workers, asked.text) as service:
        measurements = {
            "first-line": lambda: first_line(service.url, photos),
            "flood": lambda: flood(service, photos, asked.uploads, asked.within),
            "memory": lambda: memory(service, photos, asked.photos),
        }
        found = {name: measure() for name, measure in measurements.items() if asked.only in (None, name)}
    print("\n".join(table(found)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
