"""How the decision paths of a recommendation are shown: intent, exemplar, entities."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from hier_dag.lineage.carried import Carried

_ENTITIES = 5


def decision_tree(found: Carried, most: int) -> Tree:
    """The paths that add most to the score; entities that the item itself belongs to are bold."""
    paths, own = found.explanation.paths, set(found.item_entities)
    belongs = ", ".join(found.item_entities) or "no entity"
    tree = Tree(
        Text.assemble("Decision paths to ", (found.item_name, "bold"), f" ({found.item}), of {belongs}")
    )
    if not paths:
        tree.add(Text("none: no interaction of this domain is known, the score is zero-shot", "yellow"))
    intents, exemplars = found.reading.intents, found.reading.exemplars
    for path in paths[:most]:
        exemplar = exemplars[path.exemplar]
        branch = tree.add(
            Text.assemble(
                (f"{path.value:+.3f}", "bold green" if path.value > 0 else "bold red"),
                (f"  intent {path.intent} ", "dim"),
                intents[path.intent].name,
            )
        )
        leaf = branch.add(Text.assemble((f"→ exemplar {path.exemplar} ", "dim"), exemplar.name))
        named = sorted(exemplar.entities, key=lambda e: e.name not in own)[:_ENTITIES]
        if named:
            parts = [(e.name, "bold cyan" if e.name in own else "cyan") for e in named]
            spaced = [part for one in parts for part in ((", ", ""), one)][1:]
            leaf.add(Text.assemble(("→ entities ", "dim"), *spaced))
    if len(paths) > most:
        rest = sum(p.value for p in paths[most:])
        tree.add(Text(f"{rest:+.3f}  {len(paths) - most:,} other paths", "dim"))
    return tree
