"""What tests ask of every answer: one shape for problems, and equality once masked."""

import re
from collections.abc import Mapping
from typing import Any

import httpx

MASKED_HEADERS = {"date", "x-request-id", "ratelimit", "ratelimit-policy", "retry-after"}
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
TRACES = re.compile(r"Traceback|\.py\b|File \"|sqlite3?\.|asyncpg|tortoise", re.IGNORECASE)


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is one problem body (RFC 9457) of the documented shape, and tells nothing of our insides."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body = dict(answer.json())
    assert body.keys() >= PROBLEM_MEMBERS
    assert (body["status"], body["code"]) == (status, code)
    # To shops it is the whole address of a page.
    assert re.fullmatch(rf"(https?://[^/]+)?/problems/{code}", body["type"])
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    assert not TRACES.search(answer.text)
    return body


def pointers(body: Mapping[str, Any]) -> list[str]:
    """The fields that a problem names."""
    return [error["pointer"] for error in body["errors"]]


def masked(answer: httpx.Response, *names: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body without what differs between any two answers, each of `names` (ids asked for) as ·."""
    text = answer.text
    for name in (answer.headers.get("x-request-id", "·"), *names):
        text = text.replace(name, "·")
    headers = {key: value for key, value in answer.headers.items() if key.lower() not in MASKED_HEADERS}
    for name in names:
        headers = {key: value.replace(name, "·") for key, value in headers.items()}
    return answer.status_code, headers, text
