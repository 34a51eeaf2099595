"""What the columns of every stage's tables mean, for manifests and the UI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from schemas.describe import table_schema
from schemas.embeddings import EMBEDDINGS
from schemas.events import EVENTS
from schemas.links import LINK_CONTRACTS
from schemas.membership import AUDIENCES, CATALOGUES
from schemas.nodes import ENTITIES, ITEMS, USERS
from schemas.splits import SPLITS

_NODES = {
    "kind": "number of the relation",
    "relation": "relation name",
    "hash": "hash of a held-out (user, item) pair of any domain",
    **ENTITIES.descriptions,
    **ITEMS.descriptions,
    **USERS.descriptions,
    **CATALOGUES.descriptions,
    **AUDIENCES.descriptions,
    **SPLITS.descriptions,
}
_ENCODER = {
    "epoch": "1-based",
    "loss": "weighted loss, mean over steps",
    "ndcg": "NDCG@10 on source validation",
    "hr": "HR@10 on source validation",
    "open_paths": "share of intent-exemplar gates open at the epoch's end",
    "exemplar_entropy": "how evenly exemplars are used: entropy over its maximum",
    "view_cosine": "mean cosine of both views of a user, without and with decision paths",
    "user_rank": "effective rank of a sample of user vectors, over their width",
    "item_rank": "effective rank of a sample of item vectors, over their width",
    "kept": "whether this epoch's weights were kept",
    "intent": "number of the intent",
    "exemplar": "number of the exemplar",
    "gate": "test gate Z of the path, 0 where it is closed",
    "weight": "share of the exemplar in what the intent stands for",
    "rank": "1 is nearest",
    "entity_id": "original id of the entity",
    "entity_name": "name to show",
    "similarity": "cosine between exemplar and entity",
    "domain": "source domain",
    "strength": "mean attention of the domain's users to the intent",
    "name": "what the exemplar or intent is called: entities, else items, that tell it from the others",
    "size": "source items nearest to the exemplar",
    "score": "log-odds of the entity against the platform, in standard errors",
    "item_id": "original id of the item",
    "visits": "source interactions of the item",
    "source": "source domain that played the target",
    "pairs_per_item": "few-shot pairs that were dealt, for each item of the catalogue",
    "scale": "scale of the crowd's terms in the few-shot score",
    "prior": "whether transfer starts from this scale where a target has as many pairs",
    "family": "number of the intent's family",
    "family_name": "what the family is called",
}
_REPORT = {
    "domain": "target domain",
    "setting": "zero_shot or few_shot",
    "shots": "training interactions used: 0, per user, share of the domain, or all",
    "model": "hier or a baseline's name",
    "variant": "how the model was made",
    "slice": "all users, those with source history, or cold ones",
    "metric": "what is measured; ndcg_over_<baseline> is HIER's paired gain",
    "k": "cutoff; 0 where there is none",
    "value": "mean over users, then seeds",
    "low": "lower end of the 95 % bootstrap interval",
    "high": "upper end of the 95 % bootstrap interval",
    "users": "users scored",
    "seeds": "seeds averaged",
}
_PUBLISHED = {
    **EMBEDDINGS.descriptions,
    "user_id": "original user id",
    "item_id": "original item id",
    "name": "name to show",
    "norm": "Euclidean norm of the vector",
    "scale": "what an int8 vector is multiplied by",
}
_LINKS = {name: text for c in LINK_CONTRACTS.values() for name, text in c.descriptions.items()}
_OF_KIND: dict[str, Mapping[str, str]] = {
    "raw/events": EVENTS.descriptions,
    "raw/links": _LINKS,
    "kg/graph": _NODES,
    "pretrain/encoder": _ENCODER,
    "finetune/model": _REPORT,
    "publish/embeddings": _PUBLISHED,
}


def columns_of(kind: str, path: Path) -> list[dict[str, str]]:
    """Name, type and meaning of every column of a stage's table.

    Args:
        kind: artifact kind, such as `kg/graph`.
        path: a Parquet file; only its footer is read.
    """
    return table_schema(path, _OF_KIND[kind])
