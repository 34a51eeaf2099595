"""Summary of the interpretability study: figures over seeds, agreement between seeds, named families."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.evaluate.interpret.partitions import adjusted_rand_index, normalised_mutual_information
from hier_dag.study.files import RECORDS, USERS
from hier_dag.study.interpretability_files import FAMILIES, SMALL
from hier_dag.study.study import Finished, Summary

_NOTE = (
    "Figures are means over seeds; a name is beyond chance if its first entity scores above 95 % of the "
    "best ones with the items' entities shuffled; families and pictures are of the first seed. NMI: "
    "arithmetic mean, 1 is the same partition; ARI: 0 is chance. Recovery compares the strongest class of "
    "each user (or the nearest exemplar of each item) with the planted one, where a sample platform's truth "
    "lies beside the logs; a family is matched one to one with the planted intent that is the strongest of "
    "most of its users."
)
_WORDS = {
    "intents": "recovery: intents",
    "families": "recovery: families",
    "families_as_planted": "as many as planted",
    "exemplars": "recovery: exemplars",
    "seeds_intent": "seeds agree: intents",
    "seeds_family": "seeds agree: families",
}
_HEAD = ("what", "of", "figure", "and")
_LETTERS = 46
Row = tuple[str, str, str, str]


def interpretability_summary(finished: Sequence[Finished]) -> Summary:
    """What decision paths mean, over some seeds."""
    records = pa.concat_tables([pq.read_table(f.artifact.file(RECORDS)) for f in finished])
    agreement = pa.Table.from_pylist(_agreement(finished), schema=records.schema)
    table = pa.concat_tables([records, agreement])
    rows = [*_figures(table.to_pylist()), *_families(finished[0])]
    pictures = {name: finished[0].artifact.file(file).read_bytes() for name, file in SMALL.items()}
    png = pictures.pop("paths")
    return Summary(table, _HEAD, rows, png, _NOTE, more=pictures)


def _agreement(finished: Sequence[Finished]) -> list[dict[str, Any]]:
    """How alike every two seeds' partitions of the users are."""
    labels = [pq.read_table(f.artifact.file(USERS)).to_pydict() for f in finished]
    rows = []
    for (a, one), (b, other) in combinations(enumerate(labels), 2):
        if one["user"] != other["user"]:
            continue  # seeds do not change who has a history; another graph would
        first = finished[a].cell
        named = {"study": "interpretability", "cell": f"seeds_{first.seed}_{finished[b].cell.seed}"}
        for what in ("intent", "family"):
            x, y = np.array(one[what]), np.array(other[what])
            for metric, of in (("nmi", normalised_mutual_information), ("ari", adjusted_rand_index)):
                rows.append(
                    {**named, "seed": first.seed, "what": f"seeds_{what}", "evidence": 1, "metric": metric,
                     "things": len(x), "value": of(x, y)}
                )  # fmt: skip
    return rows


def _figures(records: list[dict[str, Any]]) -> list[Row]:
    values: dict[tuple[str, int, str], list[tuple[float, int]]] = {}
    for r in records:
        values.setdefault((r["what"], r["evidence"], r["metric"]), []).append((r["value"], r["things"]))
    mean = {key: float(np.mean([v for v, _ in found])) for key, found in values.items()}
    things = {key: round(float(np.mean([n for _, n in found]))) for key, found in values.items()}
    counted = ("intents", "families", "exemplars")
    rows = [("decision paths", what, f"{mean[what, 0, 'count']:.3g}", "") for what in counted]
    rows.append(("decision paths", "open paths", f"{100 * mean['paths', 0, 'open']:.1f} %", ""))
    for what in ("exemplars", "intents"):
        share = f"{100 * mean[what, 0, 'beyond_chance']:.0f} %"
        rows.append(("names beyond chance", what, share, "5 % by chance"))
    for (what, evidence, metric), value in mean.items():
        if metric == "nmi":
            kind = "items" if what == "exemplars" else "users"
            of = f"{things[what, evidence, metric]:,} {kind} of {evidence} or more pairs"
            rows.append((_WORDS[what], of, f"NMI {value:.3f}", f"ARI {mean[what, evidence, 'ari']:.3f}"))
    return rows


def _families(one: Finished) -> list[Row]:
    found = pq.read_table(one.artifact.file(FAMILIES)).to_pylist()
    return [
        (
            "families of intents",
            textwrap.shorten(f["name"], _LETTERS, placeholder=" …"),
            f"{100 * f['strength']:.1f} %",
            f"{f['planted']} ({100 * f['share']:.0f} %)" if f["planted"] else "",
        )
        for f in found
    ]
