"""Which flows the picture of decision paths shows, and where: columns of intents, exemplars, entities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hier_dag.evaluate.interpret.reading import Intent, Reading

_SHOWN_SHARE = 0.05  # of an intent: a weaker path is a hair's breadth
INTENT, EXEMPLAR, END = 0, 1, 2
Key = tuple[int, int]
"""(column, number)."""


@dataclass(frozen=True)
class Flow:
    """A ribbon between two nodes of neighbouring columns; `family` gives its colour."""

    start: Key
    end: Key
    width: float
    family: int


@dataclass(frozen=True)
class Node:
    """A bar: its name, where it begins from the top and how high it is, in shares of what is shown."""

    key: Key
    name: str
    top: float
    height: float
    family: int


@dataclass(frozen=True)
class Flows:
    """A picture's content.

    Attributes:
        nodes: of all columns, top to bottom.
        flows: ribbons between them; those that leave the intents add up to 1.
        ends: what the last column holds, `entities`, or `items` on a platform without entities.
    """

    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]
    ends: str


def flows_of(reading: Reading, intents: int, paths: int, entities: int, gap: float) -> Flows:
    """The strongest intents, their strongest open paths and what the exemplars at their ends stand for.

    A ribbon from an intent is as wide as its strength times φ_pk; one to an entity takes the share of the
    exemplar's that its score has among those shown.

    Args:
        reading: names and paths.
        intents: intents at most.
        paths: paths an intent at most.
        entities: entities an exemplar at most.
        gap: height between the nodes of a column, all together.
    """
    families = reading.families
    shown = sorted(reading.strongest(intents), key=lambda i: (-families[i.family].strength, -i.strength))
    ends = "entities" if any(x.entities for x in reading.exemplars) else "items"
    first = _from_intents(shown, paths)
    second, names = _to_ends(first, reading, ends, entities)
    names |= {(INTENT, i.number): i.name for i in shown}
    names |= {(EXEMPLAR, x.number): x.name for x in reading.exemplars}
    nodes = _placed([(INTENT, i.number) for i in shown], _groups(first, of_start=True), names, gap)
    for flows in (first, second):
        nodes += _placed(_by_centre(flows, nodes), _groups(flows), names, gap)
    return Flows(tuple(nodes), (*first, *second), ends)


def _from_intents(shown: Iterable[Intent], paths: int) -> list[Flow]:
    drawn = [
        (intent, path, intent.strength * path.score)
        for intent in shown
        for path in intent.paths[:paths]
        if path.score >= _SHOWN_SHARE or path is intent.paths[0]
    ]
    # An intent that nobody follows has no width to draw, nor a height to place its exemplars by.
    drawn = [flow for flow in drawn if flow[2] > 0]
    total = sum(width for *_, width in drawn) or 1.0
    return [Flow((INTENT, i.number), (EXEMPLAR, p.number), width / total, i.family) for i, p, width in drawn]


def _to_ends(first: list[Flow], reading: Reading, ends: str, most: int) -> tuple[list[Flow], dict[Key, str]]:
    """Ribbons from exemplars to entities (or items), and what those are called."""
    flows: list[Flow] = []
    names: dict[Key, str] = {}
    for key, inflow in _groups(first).items():
        told = getattr(reading.exemplars[key[1]], ends)[:most]
        total = sum(end.score for end in told)
        if total <= 0:
            continue
        width, family = sum(flow.width for flow in inflow), _family(inflow)
        flows += [Flow(key, (END, e.number), width * e.score / total, family) for e in told]
        names |= {(END, e.number): e.name for e in told}
    return flows, names


def _groups(flows: Iterable[Flow], *, of_start: bool = False) -> dict[Key, list[Flow]]:
    found: dict[Key, list[Flow]] = {}
    for flow in flows:
        found.setdefault(flow.start if of_start else flow.end, []).append(flow)
    return found


def _by_centre(flows: Iterable[Flow], nodes: Iterable[Node]) -> list[Key]:
    """Ends of flows by the mean height of where they come from, which keeps crossings few."""
    middle = {node.key: node.top + node.height / 2 for node in nodes}
    centre = {
        key: sum(middle[f.start] * f.width for f in own) / sum(f.width for f in own)
        for key, own in _groups(flows).items()
    }
    return sorted(centre, key=lambda key: (centre[key], key))


def _placed(order: list[Key], own: dict[Key, list[Flow]], names: dict[Key, str], gap: float) -> list[Node]:
    """Nodes of one column, one below the other."""
    space, at, nodes = gap / max(1, len(order) - 1), 0.0, []
    for key in order:
        inflow = own.get(key, [])
        height = sum(flow.width for flow in inflow)
        nodes.append(Node(key, names[key], at, height, _family(inflow)))
        at += height + space
    return nodes


def _family(flows: list[Flow]) -> int:
    """The family that most of some flows is of."""
    return max(flows, key=lambda flow: flow.width).family if flows else 0
