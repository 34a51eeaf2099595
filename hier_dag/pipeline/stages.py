"""Names and code versions of the stages. Bump a version when its stage's output changes for equal input."""

from __future__ import annotations

EVENTS = "raw/events"
LINKS = "raw/links"
GRAPH = "kg/graph"
ENCODER = "pretrain/encoder"
MODEL = "finetune/model"
PUBLISHED = "publish/embeddings"
CORRECTIONS = "raw/corrections"
"""Values that people gave for quarantined rows of a domain."""
REFUSED = "raw/refused"
"""Quarantined rows and ledger of an ingest that a contract refused."""
STUDY = "study"
"""Prefix of the kinds of studies: study/sensitivity and so on, and study/result, which studies share."""
RESULT = f"{STUDY}/result"

CODE_VERSIONS = {EVENTS: "2", LINKS: "2", GRAPH: "3", ENCODER: "11", MODEL: "8", PUBLISHED: "4"}
# A study's figures come out of pre-training and transfer, so a new version of either makes them anew.
CODE_VERSIONS[STUDY] = f"2.{CODE_VERSIONS[ENCODER]}.{CODE_VERSIONS[MODEL]}"
