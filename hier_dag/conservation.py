"""The conservation ledger: at every stage, what went in is what came out plus what was left out, by reason.

A flow is one line of it. Every artifact holds the flows of its own stage in `ledger.json`, checked before
the artifact is committed; each count is taken where the rows are, none by subtraction from the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hier_dag.errors import ContractError, StoreError

LEDGER = "ledger.json"


@dataclass(frozen=True)
class Flow:
    """Rows that enter a step and what becomes of every one of them.

    Attributes:
        step: what happens, such as `raw → canonical` or `pairs → split`.
        unit: what is counted in `entered`: rows, events, pairs, edges, users, items.
        entered: how many entered.
        left: how many came out, by where they went, such as {"training": 70, "test": 30}.
        lost: how many did not, by reason code: quarantined, deduplicated and filtered rows alike.
        domain: the domain; None for what all share.
        source: raw file, table or relation within the domain; None for all of it.
    """

    step: str
    unit: str
    entered: int
    left: Mapping[str, int]
    lost: Mapping[str, int] = field(default_factory=dict)
    domain: str | None = None
    source: str | None = None

    @property
    def total_left(self) -> int:
        """How many came out, wherever they went."""
        return sum(self.left.values())

    @property
    def total_lost(self) -> int:
        """How many did not come out, for whatever reason."""
        return sum(self.lost.values())

    def check(self) -> Flow:
        """Returns itself where entered = left + lost.

        Raises:
            ContractError: where something was lost without a reason, or made up.
        """
        if self.entered == self.total_left + self.total_lost:
            return self
        parts = " + ".join(f"{n} {name}" for name, n in {**self.left, **self.lost}.items())
        raise ContractError(
            f"{self.step}: {self.unit} are not conserved: {self.entered} in, but {parts or 'nothing'} = "
            f"{self.total_left + self.total_lost}.",
            domain=self.domain,
            file=self.source,
            fix="run again; if it persists this is a defect of the stage, not of the data: report it",
            detail=self.as_json(),
        )

    def as_json(self) -> dict[str, Any]:
        """The flow as a JSON-serialisable record; what is 0 is left out of `lost`."""
        return asdict(self) | {"left": dict(self.left), "lost": {k: n for k, n in self.lost.items() if n}}


def write_flows(flows: Sequence[Flow], folder: Path) -> None:
    """Checks flows and writes them as the ledger of a staged artifact.

    Raises:
        ContractError: at the first flow that does not balance.
    """
    records = [flow.check().as_json() for flow in flows]
    text = json.dumps({"flows": records}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / LEDGER).write_text(text + "\n", encoding="utf-8")


def read_flows(folder: Path) -> list[Flow]:
    """The flows that `write_flows` wrote.

    Raises:
        StoreError: when there is no ledger, or it is none.
    """
    path = folder / LEDGER
    try:
        return flows_of(json.loads(path.read_bytes()), str(path))
    except (OSError, ValueError) as e:
        raise StoreError(f"not a ledger: {e}", file=str(path), fix="run the pipeline again") from e


def flows_of(ledger: Mapping[str, Any], path: str = LEDGER) -> list[Flow]:
    """The flows of a parsed ledger.

    Raises:
        StoreError: when it is no ledger.
    """
    try:
        return [Flow(**record) for record in ledger["flows"]]
    except (KeyError, TypeError) as e:
        raise StoreError(f"not a ledger: {e}", file=path, fix="run the pipeline again") from e


def came_out(flows: Iterable[Flow], step: str, unit: str, domain: str, to: str | None = None) -> int:
    """How many of a unit left a step in one domain: for `to` alone, or wherever they went."""
    mine = [f for f in flows if (f.step, f.unit, f.domain) == (step, unit, domain)]
    return sum(f.total_left if to is None else f.left.get(to, 0) for f in mine)


def agree(flows: Iterable[Flow], expected: Mapping[str | None, int], what: str) -> None:
    """Checks that what enters a step is what left the step before it, domain by domain.

    Args:
        flows: flows of one step.
        expected: how many the step before let out, by domain.
        what: the two steps, for the message.

    Raises:
        ContractError: naming the domain and both counts.
    """
    entered: dict[str | None, int] = {}
    for flow in flows:
        entered[flow.domain] = entered.get(flow.domain, 0) + flow.entered
    for domain in sorted({*entered, *expected}, key=str):
        before, after = expected.get(domain, 0), entered.get(domain, 0)
        if before != after:
            raise ContractError(
                f"{what}: {before} came out of the first and {after} entered the second.",
                domain=domain,
                fix="run again; if it persists this is a defect of the stage, not of the data: report it",
            )
