"""How decision paths are shown in a terminal; ids and names as they are."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from hier_dag.evaluate.interpret.platform import PlatformPaths
from hier_dag.evaluate.interpret.reading import Reading
from hier_dag.lineage.carried import Carried

_LEADS = 2  # exemplars of an intent
_SIDE = 42  # letters of an intent or exemplar in the picture
_TERMS = {
    "popularity": "popularity in the target",
    "profile": "entities of the source history like the item's",
    "own_profile": "entities of the items known here like the item's",
    "paths": "decision paths: what people of these intents take here",
    "path_visitors": "visitors whose paths lead where this user's lead",
    "crowd_visitors": "visitors who go where this user goes",
    "taste_visitors": "visitors of like taste in content",
    "content": "trained content score over predicted popularity",
    "learned": "item corrections learned by fine-tuning",
    "constant": "the same for all items",
    "zero_shot": "zero-shot score: no interaction of this domain is known",
}


def families_table(reading: Reading, most: int) -> Table:
    """The strongest families of intents."""
    ordered = sorted(reading.families, key=lambda family: (-family.strength, family.number))
    table = _table(f"Families of intents ({len(ordered)} of {len(reading.intents)} intents)")
    for head in ("family", "share", "intents", "stands for"):
        table.add_column(head, justify="left" if head == "stands for" else "right")
    for family in ordered[:most]:
        share = f"{100 * family.strength:.1f} %"
        table.add_row(str(family.number), share, str(len(family.intents)), Text(family.name))
    return table


def intents_table(told: PlatformPaths, most: int) -> Table:
    """The strongest intents, where their paths lead, and the domain in which each stands out most."""
    table = _table(
        f"Strongest intents (of {len(told.reading.intents)}), and the exemplars their paths lead to"
    )
    for head in ("intent", "family", "share", "named after", "leads to", "most in"):
        table.add_column(head, justify="left" if head in ("named after", "leads to", "most in") else "right")
    for intent in told.reading.strongest(most):
        leads = "\n".join(f"{100 * path.score:.0f} % {path.name}" for path in intent.paths[:_LEADS])
        row = told.strength[intent.number]
        where = told.domains[int(row.argmax())] if row.any() else ""
        share = f"{100 * intent.strength:.1f} %"
        cells = (Text(intent.name), Text(leads), Text(where))
        table.add_row(str(intent.number), str(intent.family), share, *cells)
    return table


def terms_table(found: Carried) -> Table:
    """What every term adds to the score."""
    head = (
        f"{found.item_name} ({found.item}) for {found.user} in {found.domain}: score "
        f"{found.explanation.score:+.3f} (version {found.version}, vector {found.origin})"
    )
    table = _table(head)
    table.add_column("adds", justify="right")
    table.add_column("term")
    for name, value in found.explanation.terms.items():
        table.add_row(f"{value:+.3f}", Text(_TERMS.get(name, name)))
    return table


def paths_table(found: Carried, most: int) -> Table:
    """The decision paths that carry the term `paths`, and what all others add."""
    table = _table("Decision paths that carry it")
    table.add_column("adds", justify="right")
    table.add_column("intent")
    table.add_column("→ exemplar")
    for intent, exemplar, value in _largest(found, most):
        table.add_row(f"{value:+.3f}", Text(intent), Text(exemplar))
    return table


def carried_picture(found: Carried, most: int) -> bytes:
    """The same as bars, PNG."""
    from hier_dag.evaluate.interpret.canvas import plain
    from hier_dag.evaluate.interpret.carried_picture import carried_png

    title = f"{found.item_name} for {found.user} in {found.domain}: score {found.explanation.score:+.3f}"
    terms = [(_TERMS.get(name, name), value) for name, value in found.explanation.terms.items()]
    paths = [
        (f"{plain(intent, _SIDE)}  →  {plain(exemplar, _SIDE)}" if exemplar else intent, value)
        for intent, exemplar, value in _largest(found, most)
    ]
    return carried_png(title, terms, paths)


def _largest(found: Carried, most: int) -> list[tuple[str, str, float]]:
    """(intent, exemplar, value) of the largest paths, then of all others together."""
    every, reading = found.explanation.paths, found.reading
    rows = [
        (reading.intents[p.intent].name, reading.exemplars[p.exemplar].name, p.value) for p in every[:most]
    ]
    if len(every) > most:
        rows.append((f"{len(every) - most} other paths", "", sum(p.value for p in every[most:])))
    return rows


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="table.title"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False
    )
