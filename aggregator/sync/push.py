"""Push: a device's queued mutations, applied once each, with a receipt for every outcome.

batch ──check──▶ gap? fork? ──▶ lock client, lock spaces ──▶ run each: applied │ refused │ stop
                                                                    └── rows, versions, receipts: one commit ──▶ pokes
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from aggregator import db
from aggregator.accounts.sessions import now_ms
from aggregator.crypto import KeyRing
from aggregator.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Unauthorized,
)
from aggregator.http import field_error, note_mistake
from aggregator.sync.live import Pokes
from aggregator.sync.log import Change, Hook, Need, Unprepared
from aggregator.sync.models import Receipt
from aggregator.sync.mutators import Mutator, Prepare, Stop, nothing, prepared
from aggregator.sync.spaces import lock

MAX_FAILURES = 5
MAX_MUTATIONS = 500
MAX_ID = 2**53 - 1


class Mutation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One named change; ids count up by one per client."""

    id: Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]
    name: Annotated[str, msgspec.Meta(max_length=64)]
    args: dict[str, Any]

    def fingerprint(self) -> bytes:
        """SHA-256 of name and arguments, whatever the order of their members; raises Invalid when they nest too
        deeply.
        """
        try:
            return hashlib.sha256(msgspec.json.encode([self.name, self.args], order="sorted")).digest()
        except RecursionError:
            raise Invalid([FieldError("/mutations", f"The arguments of {self.id} nest too deeply.")]) from None


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a push."""

    client: uuid.UUID
    mutations: Annotated[list[Mutation], msgspec.Meta(max_length=MAX_MUTATIONS)]


Outcome = dict[str, Any] | None
"""The problem of a refused mutation, None of an applied one."""


@dataclass(slots=True)
class Delivery:
    """What came of a batch: an outcome per mutation up to where it stopped, and why it stopped."""

    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    stop: Problem | None = None
    versions: dict[uuid.UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Client:
    account_id: uuid.UUID
    id: uuid.UUID
    last_id: int
    failures: int


@dataclass(frozen=True, slots=True)
class _Call:
    """A mutation with what it calls; `problem` is set when its arguments cannot be read."""

    mutation: Mutation
    mutator: Mutator | None
    args: Any = None
    problem: Problem | None = None


class Pusher:
    """Applies batches. `mutators` is everything a device may name, `hooks` are told of every change."""

    def __init__(
        self,
        keys: KeyRing,
        mutators: Sequence[Mutator],
        pokes: Pokes,
        prepare: Prepare = nothing,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self._keys = keys
        self._mutators: Mapping[str, Mutator] = {mutator.name: mutator for mutator in mutators}
        self._pokes = pokes
        self._prepare = prepare
        self._hooks = hooks

    async def push(self, account_id: uuid.UUID, batch: Batch) -> Delivery:
        """Apply what is new and replay what is not; raises Conflict for a gap or a fork, with nothing applied.

        An error of our own that breaks a whole batch must not block the queue behind one mutation: the batch is then
        applied one by one, and the one that fails alone is counted and in the end refused.
        """
        try:
            return await prepared(self._prepare, lambda brought: self._push(account_id, batch, brought))
        except (Problem, *db.STORE_ERRORS):
            raise
        except Exception as error:
            if len(batch.mutations) > 1:
                return await self._one_by_one(account_id, batch)
            return await self._count_failure(account_id, batch, error)

    async def _push(self, account_id: uuid.UUID, batch: Batch, brought: Mapping[Need, Any]) -> Delivery:
        if not batch.mutations:
            return Delivery()
        prints = {mutation.id: mutation.fingerprint() for mutation in batch.mutations}
        async with db.transaction():
            client = await _lock_client(account_id, batch.client)
            _refuse_gap(batch.mutations, client.last_id)
            delivery = Delivery(await _replayed(batch.mutations, client, prints))
            await self._apply(client, batch.mutations[len(delivery.outcomes) :], delivery, prints, brought)
            await self._pokes.announce(delivery.versions)
        self._pokes.poke(delivery.versions)
        return delivery

    async def _one_by_one(self, account_id: uuid.UUID, batch: Batch) -> Delivery:
        whole = Delivery()
        for mutation in batch.mutations:
            delivery = await self.push(account_id, Batch(batch.client, [mutation]))
            whole.outcomes += delivery.outcomes
            whole.stop = delivery.stop
            if whole.stop is not None:
                break
        return whole

    async def _count_failure(self, account_id: uuid.UUID, batch: Batch, error: Exception) -> Delivery:
        """Note that the one mutation of this batch failed; the fifth time it is receipted as refused."""
        [mutation] = batch.mutations
        mistake = _mistake(mutation, error)
        async with db.transaction():
            client = await _lock_client(account_id, batch.client)
            if client.failures + 1 < MAX_FAILURES:
                await _keep(client, [], client.failures + 1)
                return Delivery(stop=mistake)
            outcome = mistake.body()
            await _keep(client, [_receipt(client, mutation, outcome, mutation.fingerprint())], 0)
        return Delivery([(mutation.id, outcome)])

    async def _apply(
        self,
        client: _Client,
        mutations: Sequence[Mutation],
        delivery: Delivery,
        prints: Mapping[int, bytes],
        brought: Mapping[Need, Any],
    ) -> None:
        if not mutations:
            return
        calls = [self._call(mutation) for mutation in mutations]
        change = await self._open(client.account_id, calls, brought)
        before = len(delivery.outcomes)
        failures = _run_all(change, calls, client.failures, delivery)
        await change.follow(self._hooks)
        delivery.versions = await change.flush()
        outcomes = delivery.outcomes[before:]
        receipts = [
            _receipt(client, mutation, outcome, prints[mutation.id])
            for mutation, (_, outcome) in zip(mutations, outcomes, strict=False)
        ]
        await _keep(client, receipts, failures)

    def _call(self, mutation: Mutation) -> _Call:
        mutator = self._mutators.get(mutation.name)
        if mutator is None:
            return _Call(mutation, None)
        try:
            return _Call(mutation, mutator, msgspec.convert(mutation.args, mutator.shape))
        except msgspec.ValidationError as error:
            return _Call(mutation, mutator, problem=Invalid([field_error(error)]))

    async def _open(self, account_id: uuid.UUID, calls: Sequence[_Call], brought: Mapping[Need, Any]) -> Change:
        """The unit of work with everything its mutators will read: a few queries, however many mutations."""
        ready = [(call.mutator, call.args) for call in calls if call.mutator and call.args is not None]
        access = await lock(account_id)
        versions = {space_id: found.version for space_id, found in access.items()}
        change = Change(self._keys, account_id, now_ms(), versions, access=access, prepared=brought)
        await change.load(place for mutator, args in ready for place in mutator.places(args))
        moved = [(mutator, _followed(change, mutator, args)) for mutator, args in ready]
        for mutator in {mutator.name: mutator for mutator, _ in moved}.values():
            if mutator.load is not None:
                mine = [args for other, args in moved if other is mutator and args.space in versions]
                await mutator.load(change, mine)
        return change


def _followed(change: Change, mutator: Mutator, args: Any) -> Any:
    """The arguments with the space in which the body is now."""
    return msgspec.structs.replace(args, space=change.whereabouts(args.space, mutator.key(args)))


def _run_all(change: Change, calls: Sequence[_Call], failures: int, delivery: Delivery) -> int:
    """Run mutations until one stops the batch, and give how often the next one has failed by our own error. Raises
    Unprepared with all that they lack.
    """
    needs: set[Need] = set()
    for call in calls:
        try:
            outcome = _run(change, call)
        except Unprepared as lacking:
            needs |= lacking.needs
            continue
        except Stop as stop:
            delivery.stop = stop
            break
        except Exception as error:
            failures += 1
            mistake = _mistake(call.mutation, error)
            if failures < MAX_FAILURES:
                delivery.stop = mistake
                break
            outcome = mistake.body()
        failures = 0
        delivery.outcomes.append((call.mutation.id, outcome))
    if needs:
        raise Unprepared(needs)
    return failures


def _mistake(mutation: Mutation, error: Exception) -> Problem:
    note_mistake(f"mutation {mutation.name}", error)
    return Problem("failed", "This was our mistake and has been noted.", id=mutation.id)


def _run(change: Change, call: _Call) -> Outcome:
    """Run one mutation; a Problem is its outcome and leaves nothing staged."""
    change.forget()
    if call.mutator is None:
        raise Stop("upgrade-needed", "This server does not know that mutation yet.", id=call.mutation.id)
    try:
        if call.problem is not None:
            raise call.problem
        call.mutator.run(change, _admitted(change, call.mutator, call.args))
    except Stop as stop:
        stop.extra["id"] = call.mutation.id
        raise
    except Problem as problem:
        return problem.body()
    change.keep()
    return None


def _admitted(change: Change, mutator: Mutator, named: Any) -> Any:
    """The arguments with the space in which the body is now; raises NotFound, Conflict or Forbidden where the author
    may not do this.
    """
    if named.space not in change.spaces:
        raise NotFound
    change.named = named.space
    args = _followed(change, mutator, named)
    if args.space not in change.spaces:
        raise Conflict("card-moved", "The card was moved to where you are not let in.")
    if mutator.is_edit and not change.may_edit(args.space):
        raise Forbidden("view-only", "You may look at the cards here and show them, but not change them.")
    return args


async def _lock_client(account_id: uuid.UUID, client_id: uuid.UUID) -> _Client:
    """The client's row, made on first use and locked until the commit, so that one push runs at a time; raises
    Unauthorized where the account was deleted a moment ago.
    """
    # The account comes first in every transaction that locks it, its clients and its spaces.
    client, lock = ("$2", "") if db.is_sqlite() else ("CAST($2 AS uuid)", "FOR KEY SHARE ")
    sql = (
        f"INSERT INTO client (account_id, id, last_id, failures) SELECT a.id, {client}, 0, 0 FROM account a "  # noqa: S608 - constants
        f"WHERE a.id = $1 {lock}"
        "ON CONFLICT (account_id, id) DO UPDATE SET failures = client.failures RETURNING last_id, failures"
    )
    for row in await db.fetch(sql, str(account_id), str(client_id)):
        return _Client(account_id, client_id, row["last_id"], row["failures"])
    raise Unauthorized("device-revoked", "The account of this device was deleted.")


def _refuse_gap(mutations: Sequence[Mutation], last_id: int) -> None:
    expected = min(mutations[0].id, last_id + 1)
    for mutation in mutations:
        if mutation.id != expected:
            raise Conflict("gap", f"The next mutation must have the id {expected}.", expected=expected)
        expected += 1


async def _replayed(
    mutations: Sequence[Mutation], client: _Client, prints: Mapping[int, bytes]
) -> list[tuple[int, Outcome]]:
    """The outcomes of the mutations that already have receipts; raises Conflict when a receipt is for another body."""
    known = [mutation for mutation in mutations if mutation.id <= client.last_id]
    if not known:
        return []
    found = await Receipt.filter(
        account_id=client.account_id, client_id=client.id, id__gte=known[0].id, id__lte=known[-1].id
    )
    receipts = {receipt.id: receipt for receipt in found}
    for mutation in known:
        receipt = receipts.get(mutation.id)
        if receipt is None or bytes(receipt.body_hash) != prints[mutation.id]:
            raise Conflict("client-forked", "Another body has this id; go on under a new client id.", id=mutation.id)
    return [(number, _outcome(receipts[number])) for number in sorted(receipts)]


def _outcome(receipt: Receipt) -> Outcome:
    return msgspec.json.decode(receipt.problem) if receipt.problem else None


def _receipt(client: _Client, mutation: Mutation, outcome: Outcome, body_hash: bytes) -> Receipt:
    return Receipt(
        account_id=client.account_id,
        client_id=client.id,
        id=mutation.id,
        body_hash=body_hash,
        problem=msgspec.json.encode(outcome).decode() if outcome else None,
    )


async def _keep(client: _Client, receipts: Sequence[Receipt], failures: int) -> None:
    if receipts:
        await Receipt.bulk_create(receipts)
    last_id = receipts[-1].id if receipts else client.last_id
    sql = "UPDATE client SET last_id = $1, failures = $2 WHERE account_id = $3 AND id = $4"
    await db.fetch(sql, last_id, failures, str(client.account_id), str(client.id))
