"""The decision paths behind the vectors, as the encoder keeps them by name."""

from __future__ import annotations

from typing import Any

from hier_dag.audit.card.parts import WORDS, Cell, Part, Picture, Table
from hier_dag.audit.evidence.made_of import Made
from hier_dag.evaluate.interpret.flow_svg import flow_svg
from hier_dag.evaluate.interpret.reading import Exemplar, Family, Intent, Ranked, Reading

PICTURE = "decision_paths.svg"
_INTENTS, _PATHS, _EXEMPLARS = (f"interaction_{what}.parquet" for what in ("intents", "paths", "exemplars"))
_SHOWN = 6
Rows = list[dict[str, Any]]


def decision_paths(encoder: Made | None) -> Part:
    """The strongest intents of the sources' users and where they lead, as a picture and a table."""
    title = "Decision paths"
    names = (_INTENTS, _PATHS, _EXEMPLARS)
    found = [] if encoder is None else [t for name in names if (t := encoder.table(name)) is not None]
    if len(found) < len(names):
        return Part(title, ("The encoder's formulation keeps no decision path over interactions by name.",))
    intents, paths, exemplars = (table.to_pylist() for table in found)
    told = _reading(intents, paths, exemplars)
    shown = [i for i in told.strongest(_SHOWN) if i.strength > 0]
    rows = tuple(
        (
            Cell(i.name),
            f"{100 * i.strength:.1f} %",
            Cell("; ".join(f"{100 * p.score:.0f} % {p.name}" for p in i.paths[:2]), kind=WORDS),
        )
        for i in shown
    )
    text = (
        "HIER explains a choice by an intent and the exemplar items that it leads to. Of "
        f"{len(told.intents)} intents these are the strongest, on average over the source domains, whose "
        "users they are learnt from. Names are those of entities that stand out."
    )
    words = "intents, the exemplars that they lead to, and what those stand for"
    picture = Picture(flow_svg(told), words, PICTURE) if shown else None
    table = Table(("intent", "share", "leads to"), rows)
    return Part(title, (text,), tables=(table,) if rows else (), picture=picture)


def _reading(intents: Rows, paths: Rows, exemplars: Rows) -> Reading:
    clusters = _clusters(exemplars)
    leads: dict[int, list[Ranked]] = {}
    for r in sorted(paths, key=lambda r: (-r["weight"], r["exemplar"])):
        if r["weight"] > 0 and r["exemplar"] in clusters:
            name = clusters[r["exemplar"]].name
            leads.setdefault(r["intent"], []).append(Ranked(r["exemplar"], name, r["weight"]))
    strength: dict[int, list[float]] = {}
    for r in intents:
        strength.setdefault(r["intent"], []).append(r["strength"])
    first = {r["intent"]: r for r in reversed(intents)}
    made = tuple(
        Intent(p, r["name"], (), tuple(leads.get(p, ())), sum(strength[p]) / len(strength[p]), r["family"])
        for p, r in sorted(first.items())
    )
    families = tuple(_family(f, made, intents) for f in range(max((i.family for i in made), default=-1) + 1))
    return Reading(tuple(clusters[k] for k in sorted(clusters)), made, families)


def _family(number: int, intents: tuple[Intent, ...], rows: Rows) -> Family:
    own = [i for i in intents if i.family == number]
    name = next((r["family_name"] for r in rows if r["family"] == number), "")
    return Family(number, name, (), tuple(i.number for i in own), sum(i.strength for i in own))


def _clusters(rows: Rows) -> dict[int, Exemplar]:
    """Exemplars by number, none left out up to the highest: pictures look them up by place."""
    entity = {name: n for n, name in enumerate(sorted({r["entity_id"] for r in rows if r["entity_id"]}))}
    found: dict[int, Exemplar] = {}
    for k in range(max((r["exemplar"] for r in rows), default=-1) + 1):
        own = sorted((r for r in rows if r["exemplar"] == k), key=lambda r: r["rank"])
        ends = tuple(
            Ranked(entity[r["entity_id"]], r["entity_name"] or r["entity_id"], r["score"])
            for r in own
            if r["entity_id"]
        )
        name, size = (own[0]["name"], own[0]["size"]) if own else (f"exemplar {k}", 0)
        found[k] = Exemplar(k, name, ends, (), size)
    return found
