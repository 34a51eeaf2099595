"""Parts of a card that only tell facts: use, data, coverage, space and index, going back, provenance."""

from __future__ import annotations

from typing import Any

from hier_dag.audit.card.parts import WORDS, Cell, Part, Table
from hier_dag.audit.evidence.data import domains, raw_files
from hier_dag.audit.evidence.subject import Subject
from hier_dag.evaluate.scored import ZERO_SHOT
from hier_dag.publish.reader.layout import INDEX, ITEMS, SEEN
from hier_dag.retention.history import shown as moment

_LATENCY = (("p50_ms", "median"), ("p99_ms", "99 % of answers"))
_GRAPH = {
    "users": "users",
    "items": "items",
    "entities": "entities",
    "interacts_edges": "training interactions",
    "has_entity_edges": "links of items to entities",
    "social_edges": "links between users",
}
SHORT = 12
"""Digits of a digest that people are shown."""


def use(about: Subject) -> tuple[Part, Part]:
    """What the vectors are for, and what they are not for."""
    domain = about.domain
    space = about.set_facts.get("space")
    meant = (
        f"Rank the items of {domain} for its users{_score_words(about)}; only the order of one user's scores "
        "means anything.",
        *_candidates(about),
        "Start other models of this domain from the vectors, as long as they name the space that they were "
        "built for" + (f" ({space})." if space else "."),
    )
    not_meant = (
        f"Items or users of another domain than {domain}: their vectors are of another space.",
        "A score as a probability, or scores of two users side by side.",
        "Vectors of another space beside these: distances between them mean nothing.",
        "Decisions about people, such as prices, credit, work or insurance, or guesses about who they are: "
        "the vectors say what somebody may like here, learnt from what people did, with every bias of that.",
    )
    return Part("Intended use", points=meant), Part("Out of scope", points=not_meant)


def data(about: Subject) -> Part:
    """Which domains' events are behind the vectors, and what the graph holds."""
    rows = tuple(
        (
            d["domain"], d["role"] or "–", _count(d["events"]), _count(d["rows_in"]),
            _count(d["quarantined"]), _count(d["deduplicated"]), _count(d["erased"]),
            _day(d["first"]), _day(d["last"]), _count(d["files"]),
        )
        for d in domains(about.made)
    )  # fmt: skip
    heads = (
        "domain", "role", "events", "rows read", "kept aside", "duplicates", "erased", "first event",
        "last event", "files",
    )  # fmt: skip
    files = raw_files(about.made, about.declared)
    terms = sorted({f["terms"] for f in files if f["terms"]})
    lacking = sum(f["terms"] is None for f in files)
    text = [
        f"Pre-training reads the training events of the sources alone. {_own_events(about)}",
        _graph_words(about),
        f"Terms of use: {'; '.join(terms) or 'none declared'}."
        + (f" {lacking} of {len(files)} raw files have none declared." if terms and lacking else ""),
    ]
    return Part("Data", tuple(t for t in text if t), tables=(Table(heads, rows),) if rows else ())


def coverage(about: Subject) -> Part:
    """Who has a vector, by how it came to be; lengths of vectors."""
    told = about.set_facts
    origins = ("trained", "kg_inferred", "fallback")
    rows: list[tuple[Cell | str, ...]] = []
    for side in ("user", "item"):
        counts, norms = told.get(f"{side}_origins") or {}, (told.get("norms") or {}).get(f"{side}s") or {}
        n = [_count(counts.get(origin)) for origin in origins]
        lengths = [f"{norms[k]:.2f}" if norms.get(k) is not None else "–" for k in ("min", "median", "max")]
        rows.append((f"{side}s", _count(told.get(f"{side}s")), *n, *lengths))
    heads = ("", "vectors", *origins, "shortest", "median length", "longest")
    text = (
        "trained: learnt from interactions; kg_inferred: an item placed by its entities; fallback: the "
        "platform's mean, for users without source history."
    )
    return Part("Who has a vector", (text,), tables=(Table(heads, tuple(rows)),))


def space(about: Subject) -> Part:
    """Dimension, space and index of the set; how fast it answered when it went live."""
    told, index = about.set_facts, about.set_facts.get("index") or {}
    latency = about.row.facts.get("latency") or {}
    rows = [
        ("dimension", _text(told.get("dim"))),
        ("score", _text(told.get("metric"))),
        ("space", f"{_text(told.get('space'))} ({about.row.change or 'not told'} on going live)"),
        ("how the vectors were made", _text(told.get("method"))),
        ("index", _text(index.get("kind"))),
        *((f"recall@{k} against exact search", _text(index.get(f"recall@{k}"))) for k in (10, 50)),
        *((f"one answer when it went live, {n}", f"{latency[k]} ms") for k, n in _LATENCY if k in latency),
    ]
    table = Table(("", ""), tuple((head, Cell(text, kind=WORDS)) for head, text in rows))
    return Part("Space and index", tables=(table,))


def going_back(about: Subject) -> Part:
    """Versions, newest first, and the command that brings an earlier one back."""
    rows = tuple(
        (
            str(r.version), moment(r.created_at), r.action, r.change or "–", r.digest[:SHORT],
            Cell(r.who, kind=WORDS), Cell(r.why, kind=WORDS),
        )
        for r in about.history
    )  # fmt: skip
    heads = ("version", "live from", "action", "space", "set", "who", "why")
    text = "An earlier set is in force again at once; nothing is built." if len(about.history) > 1 else (
        "This is the first version: there is no earlier set to go back to."
    )  # fmt: skip
    commands = (f'hier rollback {about.domain} --why "…"', f"hier audit live {about.domain} --history")
    return Part("Going back", (text,), tables=(Table(heads, rows),), commands=commands)


def contact(about: Subject) -> Part:
    """Who answers for it."""
    found = about.declared.contact(about.domain)
    return Part("Contact", (found or "The declaration names nobody who answers for this domain.",))


def provenance(about: Subject) -> Part:
    """Every artifact behind the set."""
    rows = tuple(
        (m.title, m.row.digest[:SHORT], m.row.code_version, commit(m.row.code_commit), _seeds(m.row.manifest))
        for m in about.made
    )
    heads = ("artifact", "digest", "code version", "commit", "seeds")
    return Part("Provenance", (f"Digest of the set: {about.row.digest}.",), tables=(Table(heads, rows),))


def commit(told: str) -> str:
    """A commit in short; that the checkout differed from it is not left out."""
    short, dirty, _ = told.partition("-dirty")
    return short[:SHORT] + dirty


def _score_words(about: Subject) -> str:
    """What a score is, where the set says it."""
    if about.set_facts.get("metric") != "inner_product":
        return ""
    return ": the score of a user and an item is the inner product of their vectors"


def _candidates(about: Subject) -> list[str]:
    """How candidates are found, and what tells what a user has seen, by the files that the set holds."""
    there = {f["path"] for f in about.published.row.manifest["files"]}
    found = []
    if INDEX in there:
        found.append("Find candidates with the index in the set.")
    elif ITEMS in there:
        found.append("Find candidates by comparing with every item: the set holds no index.")
    if SEEN in there:
        found.append(f"Leave out what a user has already seen: {SEEN} lists it.")
    return found


def _own_events(about: Subject) -> str:
    """What of the target's own events is behind the vectors, by the setting that was published."""
    shots = None if about.model is None else about.model.json("method.json").get("shots")
    if shots is None:
        return "The domain's test events enter nothing."
    if shots == ZERO_SHOT:
        return "No event of the target enters: the setting that is published is zero-shot."
    return (
        "The target's own training events enter afterwards, in the setting that is published; its test "
        "events enter nothing."
    )


def _graph_words(about: Subject) -> str:
    graph = about.graph
    if graph is None:
        return ""
    summary = graph.row.manifest["summary"]
    found = [f"{summary[key]:,} {words}" for key, words in _GRAPH.items() if key in summary]
    return f"The knowledge graph of all domains holds {', '.join(found)}." if found else ""


def _seeds(manifest: dict[str, Any]) -> str:
    return ", ".join(map(str, manifest["seeds"])) or "–"


def _count(n: int | None) -> str:
    return "–" if n is None else f"{n:,}"


def _day(time: str | None) -> str:
    return time[:10] if time else "–"


def _text(value: object) -> str:
    return "not told" if value is None else str(value)
