"""What may keep a sound set from going live: transfer that loses, or a space that consumers do not know.

Either gives way to a decision on record: who, why and until when.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hier_dag.registry import CheckRow, Decision, Registry
from hier_dag.registry.decisions import APPROVAL, WAIVER

TRANSFER, SPACE = "transfer_gate", "space_contract"
EVERY_MODEL = "*"
"""Subject of a waiver with an end: it covers every model of the domain until then."""

_SHORT = 12
_NEGATIVE = "no_negative_transfer"  # the check that a transfer leaves on its model


def transfer_gate(registry: Registry, domain: str, model: str, *, blocks: bool) -> CheckRow:
    """Whether the model behind a set may be published, by its report card or by a waiver.

    Args:
        registry: holds the model's checks and the waivers.
        domain: the target.
        model: digest of the model.
        blocks: whether a transfer that loses is refused; if not, the facts say what would have been.

    Returns:
        A check that fails where the report card says that transfer loses, it blocks, and no waiver holds.
    """
    card = next((c for c in reversed(registry.checks(model)) if c.name == _NEGATIVE), None)
    if card is None or card.passed:
        sentence = None if card is None else card.facts.get("sentence")
        return CheckRow(TRANSFER, True, _told(message=sentence or "negative transfer was not judged"))
    facts = _told(message=card.facts.get("sentence"), baseline=card.facts.get("baseline"), model=model)
    if not blocks:
        return CheckRow(TRANSFER, True, {**facts, "blocks": False})
    held = waiver(registry.decisions(domain=domain, kinds=(WAIVER,)), model)
    if held is None:
        return CheckRow(TRANSFER, False, facts)
    return CheckRow(TRANSFER, True, {**facts, "waiver": _words(held)})


def space_gate(
    registry: Registry, domain: str, digest: str, change: str, compared: dict[str, Any], *, blocks: bool
) -> CheckRow:
    """Whether a set may go live by what becomes of the space, or by an approval.

    Args:
        registry: holds the approvals.
        domain: the target.
        digest: of the set.
        change: `first`, `same`, `aligned` or `breaking`.
        compared: figures of the comparison with the live set.
        blocks: whether a breaking set needs approval.
    """
    facts = {"message": f"the space is {change}", "change": change, **compared}
    if change != "breaking" or not blocks:
        return CheckRow(SPACE, True, facts)
    given = next(
        (
            d
            for d in registry.decisions(domain=domain, kinds=(APPROVAL,))
            if d.subject == digest and d.holds()
        ),
        None,
    )
    if given is None:
        message = "the vectors are of another space than the live ones: models built on those would be wrong"
        return CheckRow(SPACE, False, {**facts, "message": message, "set": digest})
    return CheckRow(SPACE, True, {**facts, "approval": _words(given)})


def waiver(decisions: Sequence[Decision], model: str) -> Decision | None:
    """The waiver that covers a model now: its own, or one for every model that has not ended."""
    return next((d for d in decisions if d.subject in (model, EVERY_MODEL) and d.holds()), None)


def remedies(domain: str, checks: Sequence[CheckRow]) -> str:
    """What to do about the gates that refuse.

    Args:
        domain: the target.
        checks: of the gates, at least one of which refuses.
    """
    refused = {c.name: c.facts for c in checks if not c.passed}
    digest = refused.get(SPACE, {}).get("set", "")
    what = {
        TRANSFER: "read the report card (hier report); publish the baseline instead, or record a waiver: "
        f'hier waive {domain} --why "…" --until DATE',
        SPACE: "tell the consumers of the vectors, then record their approval: "
        f'hier approve {domain} --set {digest[:_SHORT]} --why "…"',
    }
    return "; ".join(what[name] for name in refused) + "; then run again: nothing is recomputed"


def _words(decision: Decision) -> str:
    until = f", until {decision.until:%Y-%m-%d %H:%M} UTC" if decision.until else ""
    return f"{decision.who} on {decision.created_at:%Y-%m-%d}: {decision.why}{until}"


def _told(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
