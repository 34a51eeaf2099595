"""How reports name settings, models and slices, and write figures."""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.evaluate.figures import Figure, Figures
from hier_dag.evaluate.scored import HIER

SLICE_WORDS = {
    "all": "all users",
    "with_history": "users with source history",
    "cold": "users without source history",
    "cold_items": "items without a few-shot interaction",
}
_SPELT = {
    "hier": "HIER", "knn": "kNN", "kg": "KG", "mf": "MF", "ease": "EASE", "slim": "SLIM", "kgin": "KGIN",
    "lightgcn": "LightGCN", "simgcl": "SimGCL", "xsimgcl": "XSimGCL", "bpr": "BPR",
}  # fmt: skip


def setting_words(shots: str) -> str:
    """A setting in words: "0" is "zero-shot", "1" is "1 per user", "1%" is "1 %", "all" is "all"."""
    if shots == "0":
        return "zero-shot"
    if shots.endswith("%"):
        return f"{shots[:-1]} %"
    return "all" if shots == "all" else f"{shots} per user"


def made_words(shown: Figures, shots: str) -> str:
    """A setting, and how HIER's vectors were made in it: "3 per user, closed form"."""
    hier = shown.get("ndcg", shots, HIER)
    made = f", {model_words(hier.variant)}" if hier and shots != "0" and hier.variant else ""
    return setting_words(shots) + made


def model_words(name: str) -> str:
    """A model or variant in words: "entity_profile" is "entity profile", "item_knn" is "item kNN"."""
    if name == "fine_tuned":
        return "fine-tuned"
    return " ".join(_SPELT.get(word, word) for word in name.split("_"))


def figure_words(figure: Figure, sign: str = "") -> str:
    """Value and interval: "0.123 [0.120, 0.126]"; `sign` is "+" for differences."""
    return f"{figure.value:{sign}.3f} [{figure.low:{sign}.3f}, {figure.high:{sign}.3f}]"


def p_words(p: float) -> str:
    """A p-value: "0.02", or "< 0.001" where it is smaller."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def listed(parts: Sequence[str], separator: str = ", ") -> str:
    """Parts side by side."""
    return separator.join(parts)
