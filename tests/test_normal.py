"""Forms of a name: one table of cases holds the service and the web app (web/tests/normal.test.ts) to one answer."""

import json
from pathlib import Path

import pytest

from aggregator.merchants.normal import fold, latin, other_layout, plain, repairs

CASES = json.loads((Path(__file__).parent / "normal-cases.json").read_text(encoding="utf-8"))
FORMS = {"plain": plain, "latin": latin, "fold": fold, "other_layout": other_layout, "repairs": repairs}


@pytest.mark.parametrize(("form", "text", "expected"), CASES)
def test_a_name_has_the_form_that_the_shared_table_says(form: str, text: str, expected: str | list[str] | None) -> None:
    assert FORMS[form](text) == expected


def test_the_shared_table_has_cases_for_every_form() -> None:
    assert {form for form, _text, _expected in CASES} == set(FORMS)
