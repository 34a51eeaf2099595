"""What every module earns in each single target, for report cards."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hier_dag.evaluate.ablation_section import Earned
from hier_dag.study.ablation_cell import Ablation
from hier_dag.study.compare import MEAN, compare
from hier_dag.study.study import Finished


def earned(
    ablations: Sequence[Ablation], finished: Sequence[Finished], resamples: int
) -> dict[str, list[Earned]]:
    """The default's NDCG gain over every control that is done, by target.

    Args:
        ablations: modules, in the order in which they are shown.
        finished: cells of the study, the default among them.
        resamples: bootstrap resamples.
    """
    rows = [
        r for r in compare(finished, resamples).to_pylist() if r["metric"] == "ndcg" and r["domain"] != MEAN
    ]
    found = {(r["domain"], r["shots"], r["cell"]): r for r in rows}
    out: dict[str, list[Earned]] = {}
    for domain, shots in dict.fromkeys((r["domain"], r["shots"]) for r in rows):
        for one in ablations:
            row = found.get((domain, shots, one.control))
            # A control without a seed that the default has too cannot be paired with it.
            if row is None or not math.isfinite(row["change"]):
                continue
            out.setdefault(domain, []).append(
                Earned(
                    one.what, shots, row["k"], -row["change"], -row["change_high"], -row["change_low"],
                    row["p_holm"],
                )
            )  # fmt: skip
    return out
