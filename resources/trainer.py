"""The trainer: runs pre-training and tells its progress."""

from typing import TYPE_CHECKING

import dagster as dg

from hier_dag.progress import Step, tell
from hier_dag.train.params import PretrainParams

if TYPE_CHECKING:
    from hier_dag.graph.knowledge_graph import KnowledgeGraph
    from hier_dag.train.pretrained import Pretrained
    from hier_dag.train.progress import Progress


class Trainer(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Trains in the step's own process (Dagster already gives each step of a launched run one)."""

    def pretrain(self, graph: "KnowledgeGraph", params: PretrainParams) -> "Pretrained":
        """Pre-trains an encoder on the source domains of a graph."""
        from hier_dag.train.pretrain import pretrain

        def report(p: "Progress") -> None:
            ndcg = "" if p.ndcg is None else f", validation NDCG@10 {p.ndcg:.4f}"
            text = f"epoch {p.epoch}/{p.epochs}, loss {p.loss:.3f}{ndcg}, {p.interactions_per_s:,.0f} pairs/s"
            done = (p.epoch - 1) * p.steps + p.step
            tell(Step("pretrain/encoder", text, done, p.epochs * p.steps))

        return pretrain(graph, params, report)
