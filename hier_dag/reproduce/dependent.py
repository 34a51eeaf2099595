"""What of an artifact follows from trained vectors, so that a tolerance lets it differ: one table.

All else must agree under a tolerance too: ids and their order, origins, names, counts, edges, parameters.
How far the vectors themselves are apart is bounded by `figures`.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from hier_dag.pipeline.stages import ENCODER, MODEL, PUBLISHED

Free = Callable[[str], bool]
"""Whether a column, an array of floats or a number in JSON may differ, by its name or path."""
ALL = "*"
_MANIFEST = "manifest.json"
_INDEX = ("index.recall@*", "index.parameters.search", "index.parameters.probes")
_SET = ("norms.*", *_INDEX, "precisions.*")
_SIDE = {"{}.parquet": ("vector", "norm"), "{}.*.parquet": ("vector", "scale")}
_TRAINING = (
    "epochs", "best_epoch", "loss", "validation_ndcg10", "untrained_profile_ndcg10", "open_paths",
    "exemplar_entropy", "view_cosine", "user_rank", "item_rank",
)  # fmt: skip

DEPENDENT: dict[str, dict[str, tuple[str, ...]]] = {
    ENCODER: {
        "encoding.safetensors": (ALL,),
        "model.safetensors": (ALL,),
        "config.json": ("best_epoch", "open_paths", "validation.*"),
        # Of these the rows follow too: where training ends, which paths are open, which entities are near.
        "curve.parquet": (ALL,),
        "interaction_paths.parquet": (ALL,),
        "interaction_exemplars.parquet": (ALL,),
        "interaction_intents.parquet": ("name", "family", "family_name", "strength"),
        "decision_path.parquet": ("gate", "weight"),
        "exemplars.parquet": ("entity_id", "entity_name", "similarity"),
        "intents.parquet": ("strength",),
        "rehearsal.parquet": ("ndcg",),
        _MANIFEST: tuple(f"summary.{name}" for name in _TRAINING),
    },
    MODEL: {
        "vectors.safetensors": (ALL,),
        "head.safetensors": (ALL,),
        "method.json": ("scalars.*",),
        "report.parquet": ("value", "low", "high"),
        "card.html": (ALL,),
        _MANIFEST: ("summary.ndcg10_*",),
    },
    PUBLISHED: {
        **{name.format(side): free for side in ("users", "items") for name, free in _SIDE.items()},
        "items.faiss": (ALL,),
        "set.json": _SET,
        _MANIFEST: tuple(f"summary.{name}" for name in _SET),
    },
}
"""By kind and file: columns of a table (`*`: rows too), arrays of floats, numbers by their paths in JSON, and
`*` for a file that is drawn or indexed from vectors."""


def free_in(kind: str, file: str) -> Free:
    """What of a file may differ under a tolerance.

    Args:
        kind: kind of artifact.
        file: name of the file; `manifest.json` for what a manifest says beside its files.
    """
    found = [names for pattern, names in DEPENDENT.get(kind, {}).items() if fnmatchcase(file, pattern)]
    patterns = tuple(name for names in found for name in names)
    return lambda name: any(fnmatchcase(name, pattern) for pattern in patterns)
