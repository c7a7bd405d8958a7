"""A page for every problem's type (RFC 9457, 3.1.1): what the code means, and what to do. Without script and style, so
that nothing in it can be anything but text.
"""

from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.errors import NotFound
from aggregator.partners.problem_texts import PAGES, Page, Words

LABELS = {"en": ("Status", "What to do", "All problems"), "ru": ("Статус", "Что делать", "Все ошибки")}
CACHED = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Language"}


def routes() -> list[BaseRoute]:
    """`/problems` and a page below it for each."""
    return [Route("/problems", _all), Route("/problems/{code}", _one)]


async def _one(request: Request) -> Response:
    code = request.path_params["code"]
    if code not in PAGES:
        raise NotFound("not-found", "There is no such problem.")
    return _sent(code, _page(code, PAGES[code], language(request)), language(request))


async def _all(request: Request) -> Response:
    chosen = language(request)
    items = "\n".join(
        f'<li><a href="/problems/{code}"><code>{code}</code></a>: {escape(_words(page, chosen).what)}</li>'
        for code, page in sorted(PAGES.items())
    )
    return _sent(LABELS[chosen][2], f"<ul>\n{items}\n</ul>", chosen)


def language(request: Request) -> str:
    """Russian for whoever wants it before English, else English."""
    wishes = []
    for part in request.headers.get("accept-language", "").lower().split(",")[:20]:
        name, _, quality = part.strip().partition(";q=")
        wishes.append((-_quality(quality), name.partition("-")[0]))
    known = [name for _, name in sorted(wishes, key=lambda wish: wish[0]) if name in LABELS]
    return known[0] if known else "en"


def _quality(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0


def _words(page: Page, chosen: str) -> Words:
    return page.ru if chosen == "ru" else page.en


def _page(code: str, page: Page, chosen: str) -> str:
    status, todo, everything = LABELS[chosen]
    words = _words(page, chosen)
    statuses = ", ".join(map(str, page.statuses))
    return (
        f"<p>{escape(words.what)}</p>\n<h2>{todo}</h2>\n<p>{escape(words.todo)}</p>\n"
        f'<p>{status}: {statuses}</p>\n<p><a href="/problems">{everything}</a></p>'
    )


def _sent(title: str, content: str, chosen: str) -> Response:
    html = (
        f'<!doctype html>\n<html lang="{chosen}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)} · Karman</title>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{content}\n</body>\n</html>\n"
    )
    return Response(html, headers=CACHED | {"Content-Language": chosen}, media_type="text/html")
