"""Balances over HTTP: one, many at once, and a whole base as a stream."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from aggregator.errors import Invalid, NotFound
from aggregator.partners.api import Call, Endpoint, Reply
from aggregator.partners.balance_import import MAX_LINE_BYTES, Done, Import, Progress, Trouble, at_the_end
from aggregator.partners.balances import MAX_ROWS, Balances, Expiring, Given, NumberedPut, Put, Result
from aggregator.partners.carrier import Carrier

NDJSON = "application/x-ndjson"
MAX_BATCH_BYTES = 8_000_000


def _row_schema() -> dict[str, Any]:
    """The JSON Schema of a row, which has no place of its own in a description."""
    _, parts = msgspec.json.schema_components([NumberedPut])
    row: dict[str, Any] = parts[NumberedPut.__name__]
    row["properties"]["expiring"]["items"] = parts[Expiring.__name__]
    return row


# Each is read by itself, so that a bad one spoils no other.
Row = Annotated[Raw, Meta(extra_json_schema=_row_schema())]


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """Balances of many numbers."""

    balances: Annotated[list[Row], Meta(max_length=MAX_ROWS)]


class Results(Struct, frozen=True):
    """What came of each row, in their order."""

    results: list[Result]


class Outcome(Struct, frozen=True):
    """What came of it: `older` where the shop has said something newer, or the same, of that number before."""

    status: Literal["stored", "older"]


class BalanceDesk:
    """What shops do with balances."""

    def __init__(self, balances: Balances, carrier: Carrier) -> None:
        self._balances = balances
        self._carrier = carrier

    def endpoints(self) -> list[Endpoint]:
        """Everything about balances."""
        return [*self._of_one(), *self._of_many()]

    def _of_one(self) -> list[Endpoint]:
        return [
            Endpoint(
                "PUT",
                "/cards/{number}/balance",
                "Put a balance",
                self.put,
                "balances",
                body=Put,
                answers={200: Outcome},
                problems=("no-programme",),
                writes=True,
                words="Whether anybody has connected a card with this number changes neither the answer nor its time.",
            ),
            Endpoint(
                "GET",
                "/cards/{number}/balance",
                "The balance that was put last",
                self.get,
                "balances",
                answers={200: Given},
                problems=("no-programme",),
            ),
        ]

    def _of_many(self) -> list[Endpoint]:
        return [
            Endpoint(
                "POST",
                "/balances",
                "Put many balances",
                self.put_many,
                "balances",
                body=Batch,
                answers={200: Results},
                problems=("no-programme",),
                writes=True,
                max_bytes=MAX_BATCH_BYTES,
                words=f"At most {MAX_ROWS} rows. Each is kept or refused by itself.",
            ),
            Endpoint(
                "POST",
                "/balances/import",
                "Put a whole base",
                self.import_all,
                "balances",
                media=NDJSON,
                answers={200: Progress | Trouble | Done},
                problems=("no-programme",),
                streams=True,
                words=(
                    f"A line of JSON per balance, as in a batch, of at most {MAX_LINE_BYTES} bytes. Answered once all "
                    f"is read, or with `Accept: {NDJSON}` line by line while it is read, which most reverse proxies do "
                    "not let through. What an answer counts as read is kept. Where it breaks off, send all again."
                ),
            ),
        ]

    async def put(self, call: Call) -> Reply:
        call.charge(1)
        row = NumberedPut(number=call.path["number"], **msgspec.structs.asdict(call.body))
        [result] = await self._balances.put(call.caller.partner_id, [row], call.now_ms)
        if result.refused is not None:
            raise Invalid([result.refused])
        call.after.append(self._wake)
        return Reply(result)

    async def get(self, call: Call) -> Reply:
        found = await self._balances.get(call.caller.partner_id, call.path["number"], call.store.read)
        if found is None:
            raise NotFound
        return Reply(found)

    async def put_many(self, call: Call) -> Reply:
        rows = call.body.balances
        call.charge(len(rows))
        results = await self._balances.put(call.caller.partner_id, rows, call.now_ms)
        call.after.append(self._wake)
        return Reply(Results(results))

    async def import_all(self, call: Call) -> Reply:
        partner_id = call.caller.partner_id
        await self._balances.facts(partner_id, call.store.read)
        work = Import(self._balances, self._carrier, partner_id, call.store, call.charge)
        told = work.run(call.request.stream())
        return Reply(told if NDJSON in call.request.headers.get("accept", "") else at_the_end(told))

    async def _wake(self) -> None:
        self._carrier.wake()
