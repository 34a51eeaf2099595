"""The section on ablations: what each module of HIER earns against its matched control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hier_dag.evaluate.cells import NOTHING, Cell, Row, Table, heads, signed
from hier_dag.evaluate.figures import evidence_order
from hier_dag.evaluate.sections import Section
from hier_dag.evaluate.words import p_words, setting_words

_TITLE = "What each module earns"


@dataclass(frozen=True)
class Earned:
    """What one module earns in one setting of a target.

    Attributes:
        module: in words.
        shots: "0" for zero-shot, else the few-shot setting.
        k: cutoff of NDCG.
        gain: NDCG@k of the full model minus that of the module's control, mean over users.
        low: lower end of the gain's 95 % interval.
        high: its upper end.
        p: two-sided, corrected by Holm's method.
    """

    module: str
    shots: str
    k: int
    gain: float
    low: float
    high: float
    p: float


def ablations(earned: Sequence[Earned], domain: str) -> Section:
    """A row a module and two columns a setting; without any figure, how to make them.

    Args:
        earned: of the domain alone, modules in the order in which they are shown.
        domain: the target.
    """
    if not earned:
        return Section(
            _TITLE,
            f"Not measured in {domain} on the newest graph: run `hier study ablation` (with {domain} among "
            "`studies.targets` where those are declared), then `hier report` again.",
        )
    found = {(one.module, one.shots): one for one in earned}
    shots = sorted({one.shots for one in earned}, key=evidence_order)
    body = tuple(
        Row(module, tuple(cell for s in shots for cell in _cells(found.get((module, s)))))
        for module in dict.fromkeys(one.module for one in earned)
    )
    columns = heads("module", *(h for s in shots for h in (f"{setting_words(s)}: NDCG@{earned[0].k}", "p")))
    return Section(
        _TITLE,
        "NDCG of the full model minus that of a matched control, which keeps all but the module's own idea; "
        "a module without a control of its own is left out instead. From the cells of the study `ablation`, "
        "which have seeds of their own. Paired over users; p: paired t-test, corrected by Holm's method for "
        "all cells and targets of a setting. No part: not one user's figure moves.",
        tables=(Table(columns, body),),
    )


def _cells(one: Earned | None) -> tuple[Cell, Cell]:
    if one is None:
        return NOTHING, NOTHING
    if one.gain == one.low == one.high == 0:
        return Cell("no part", kind="level"), NOTHING
    side = "beats" if one.low > 0 else "loses" if one.high < 0 else "level"
    interval = signed(f"[{one.low:+.4f}, {one.high:+.4f}]")
    return Cell(signed(f"{one.gain:+.4f}"), interval, side), Cell(p_words(one.p))
