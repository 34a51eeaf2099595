"""Names and code versions of the stages. Bump a version when its stage's output changes for equal input."""

from __future__ import annotations

EVENTS = "raw/events"
LINKS = "raw/links"
GRAPH = "kg/graph"
ENCODER = "pretrain/encoder"
MODEL = "finetune/model"
PUBLISHED = "publish/embeddings"

CODE_VERSIONS = {EVENTS: "1", LINKS: "1", GRAPH: "1", ENCODER: "1", MODEL: "1", PUBLISHED: "1"}
