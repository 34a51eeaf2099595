"""Proves a receipt: that it is on record unaltered, that nobody of it is in force, and whom it is about."""

from __future__ import annotations

from dataclasses import dataclass

from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased, erased_of, erasures
from hier_dag.erasure.receipt import Receipt, on_record
from hier_dag.erasure.scan import held
from hier_dag.erasure.secret import Secret
from hier_dag.erasure.sinks import look_at_sinks
from hier_dag.errors import StoreError
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.pipeline.workshop import Workshop


@dataclass(frozen=True)
class Proof:
    """What was looked at, and what is wrong.

    Attributes:
        sets: how many sets in force were looked at.
        problems: in words; none where the receipt holds.
        sinks: how many sinks were looked at, with tables of all versions.
    """

    sets: int
    problems: list[str]
    sinks: int = 0


def verify(
    con: Backend, workshop: Workshop, policy: Policy, receipt: Receipt, user: str | None = None
) -> Proof:
    """Checks a receipt against the registry, every set in force, byte by byte, and every declared sink.

    Args:
        con: the engine.
        workshop: the store and the registry.
        policy: where the platform's secret lies, and the sinks.
        receipt: it, as `read_receipt` gives it.
        user: an id that the receipt is said to be about; None asks for nobody.

    Raises:
        ConfigError: the platform's secret is gone.
    """
    problems = _recorded(workshop, receipt)
    made = next((d for d in erasures(workshop.registry) if d.subject == receipt.id), None)
    everybody = erased_of(workshop.registry, policy.home)
    if made is None or everybody is None:
        return Proof(0, [*problems, "no erasure of this receipt is on record"])
    erased = everybody.only(made.facts["tokens"])
    if len(erased.tokens) != receipt.users or len(receipt.commitments) != receipt.users:
        problems.append("the receipt and the record are of different numbers of users")
    if user is not None:
        problems += _opens(erased.secret, receipt, user, erased)
    heads = {head.digest: head for head in workshop.registry.all_aliases()}
    for digest, head in heads.items():
        problems += _in_force(con, workshop, digest, f"{head.domain} {head.alias}", erased)
    sinks = look_at_sinks(con, policy, erased)
    return Proof(len(heads), problems + [p for sink in sinks for p in sink.problems], len(sinks))


def _recorded(workshop: Workshop, receipt: Receipt) -> list[str]:
    said = on_record(workshop.registry, receipt.id)
    if said is None:
        return ["the receipt is on no record"]
    problems = (
        [] if said.facts["sha256"] == receipt.digest else ["the receipt is another one than that on record"]
    )
    seq = int(receipt.chain["seq"])
    event = next(iter(workshop.registry.events(after=seq - 1, limit=1)), None)
    if event is None or event.hash != receipt.chain["hash"]:
        problems.append(f"the registry's log has another event {seq} than when the receipt was written")
    return problems


def _opens(secret: Secret, receipt: Receipt, user: str, erased: Erased) -> list[str]:
    about = secret.keyed(f"receipt {receipt.id}", user) in receipt.commitments
    recorded = secret.token(user) in erased.tokens
    return [] if about and recorded else ["the receipt is not about that user"]


def _in_force(con: Backend, workshop: Workshop, digest: str, name: str, erased: Erased) -> list[str]:
    try:
        there = held(con, workshop.store.open(PUBLISHED, digest), erased)
    except StoreError as error:
        return [f"{name}: {error.message}"]
    return [f"{name}: the set in force holds {len(there)} of the users"] if there else []
