"""The section on ablations: what each part of HIER earns against its matched control."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.evaluate.cells import NOTHING, Cell, Row, Table, heads, signed
from hier_dag.evaluate.figures import evidence_order
from hier_dag.evaluate.scored import GAIN, HIER, P_VALUE
from hier_dag.evaluate.sections import Section
from hier_dag.evaluate.words import model_words, p_words, setting_words


def ablations(variants: pa.Table | None, domain: str) -> Section | None:
    """NDCG of every variant of HIER, and the full model's paired gain over it.

    Args:
        variants: `RECORD_SCHEMA` as `make_records` gives it for several `hier` variants a setting, the full
            model first; None, or no such record of the domain, leaves the section out.
        domain: the target.
    """
    if variants is None:
        return None
    mask = pc.and_(pc.equal(variants["domain"], domain), pc.equal(variants["model"], HIER))
    rows = [r for r in variants.filter(mask).to_pylist() if r["slice"] == "all"]
    found = {(r["variant"], r["shots"], r["metric"], r["k"]): r for r in rows}
    cutoffs = [r["k"] for r in rows if r["metric"] == "ndcg"]
    names = list(dict.fromkeys(r["variant"] for r in rows))
    if len(names) < 2 or not cutoffs:
        return None
    k = min(cutoffs)
    shots = sorted({r["shots"] for r in rows}, key=evidence_order)
    full = {s: next((v for v in names if (v, s, "ndcg", k) in found), names[0]) for s in shots}
    body = [
        Row(
            model_words(name),
            tuple(cell for s in shots for cell in _cells(found, name, full[s], s, k)),
            name in full.values(),
        )
        for name in names
    ]
    columns = heads(
        "variant", *(h for s in shots for h in (f"{setting_words(s)}: NDCG@{k}", "full gains", "p"))
    )
    return Section(
        "What each part earns",
        "Each variant lacks one part, or replaces it by a control of the same size and score scale without "
        "the part's idea. Only the gain over the matched control speaks for the part. Paired over users; p "
        "not corrected.",
        tables=(Table(columns, tuple(body)),),
    )


_Found = dict[tuple[str, str, str, int], dict[str, float]]


def _cells(found: _Found, name: str, full: str, shots: str, k: int) -> tuple[Cell, Cell, Cell]:
    own = found.get((name, shots, "ndcg", k))
    gain = found.get((full, shots, GAIN + name, k))
    p = found.get((full, shots, P_VALUE + GAIN + name, k))
    first = Cell(f"{own['value']:.4f}", f"[{own['low']:.4f}, {own['high']:.4f}]") if own else NOTHING
    if gain is None:
        return first, NOTHING, NOTHING
    side = "beats" if gain["low"] > 0 else "loses" if gain["high"] < 0 else "level"
    words = Cell(signed(f"{gain['value']:+.4f}"), signed(f"[{gain['low']:+.4f}, {gain['high']:+.4f}]"), side)
    return first, words, Cell(p_words(p["value"])) if p else NOTHING
