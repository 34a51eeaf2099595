"""Whether names mean more than chance: best entities against those of platforms with shuffled links."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.evaluate.interpret.read import Words, read_paths
from hier_dag.evaluate.interpret.reading import Exemplar, Intent, Reading
from hier_dag.graph.csr import CSR, from_coo
from hier_dag.model.interactions import InteractionEncoding

_SHUFFLES = 10
_QUANTILE = 0.95


def beyond_chance(
    reading: Reading, encoding: InteractionEncoding, history: CSR, links: CSR, words: Words, seed: int
) -> dict[str, float]:
    """Share of `exemplars` and `intents` whose best entity beats 95 % of chance's best; 0.05 is chance.

    Every name is the best of many entities, and what is best of many looks good by chance alone. Chance is
    the same platform with the entities of its source items dealt to one another, read alike, ten times.

    Args:
        reading: of the true links.
        encoding: of the sources' users × items graph.
        history: users × items, source training interactions.
        links: items × entities.
        words: names.
        seed: of the shuffles.
    """
    rng, seen = np.random.default_rng(seed), np.unique(history.indices)
    chance: dict[str, list[NDArray[np.float64]]] = {"exemplars": [], "intents": []}
    for _ in range(_SHUFFLES):
        to = np.arange(links.rows)
        to[seen] = rng.permutation(seen)
        dealt = from_coo(to[links.row_of_entry()], links.indices, links.rows, links.cols)
        read = read_paths(encoding, history, dealt, words)
        chance["exemplars"].append(_best(read.exemplars))
        chance["intents"].append(_best(read.intents))
    true = {"exemplars": _best(reading.exemplars), "intents": _best(reading.intents)}
    return {
        what: float((best > np.quantile(np.concatenate(chance[what]), _QUANTILE)).mean())
        for what, best in true.items()
    }


def _best(named: tuple[Exemplar, ...] | tuple[Intent, ...]) -> NDArray[np.float64]:
    """Score of the best entity of each, float64; 0 where it has none."""
    return np.array([x.entities[0].score if x.entities else 0.0 for x in named])
