"""Builds finetune/model of one target: transfer, its report card, and what its contract asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hier_dag.builds.vector_flows import check_transferred
from hier_dag.config.stages import GateParams
from hier_dag.conservation import read_flows
from hier_dag.evaluate.gate import negative_transfer
from hier_dag.evaluate.page import card_html
from hier_dag.graph import training_pairs
from hier_dag.pipeline.recorded import domains_of, transfer_params
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import ENCODER, GRAPH, MODEL
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.registry import CheckRow
from hier_dag.transfer.job import TransferJob
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.save import REPORT
from schemas.columns import columns_of

CARD = "card.html"
Transfer = Callable[[TransferJob], dict[str, Any]]
"""Does a job wherever that is done, and gives the facts of `run_transfer`."""


def build_model(request: Request, staged: Path, workshop: Workshop, transfer: Transfer) -> Built:
    """Transfers an encoder to a target into a staged folder, with its report card, and checks it.

    Args:
        request: as `model_request` gives it.
        staged: an empty folder.
        workshop: where graph and encoder are opened.
        transfer: does the job.

    Raises:
        TrainingError: vectors or scores are not finite.
        ContractError: a row was lost on the way.
    """
    domain = str(request.partition)
    graph = workshop.open(GRAPH, request.parents["graph"])
    sources, targets = domains_of(graph.manifest)
    job = TransferJob(
        graph=graph.path,
        encoder=workshop.open(ENCODER, request.parents["encoder"]).path,
        sources=sources,
        targets=targets,
        domain=domain,
        params=TransferParams.from_json(transfer_params(request.params)),
        out=staged,
    )
    facts = transfer(job)
    check_transferred(read_flows(staged), graph, domain)
    records = pq.read_table(staged / REPORT)
    baselines = GateParams.model_validate(request.params["gates"]).transfer_baselines
    gate = negative_transfer(records, domain, baselines, facts["shots"])
    if records.num_rows:
        (staged / CARD).write_text(card_html(records, domain), encoding="utf-8")
    zero, missing = facts["zero_vectors"], facts["missing"]
    return Built(
        tables={REPORT: columns_of(MODEL, staged / REPORT)},
        summary={
            **{name: facts[name] for name in ("method", "shots", "users", "items")},
            **_headline(records),
            **facts["made_with"],
        },
        checks=[
            CheckRow(
                "finite",
                facts["finite"] and zero == 0,
                {"finite": facts["finite"], "zero_vectors": zero},
            ),
            CheckRow("complete", missing == 0, {"missing": missing}),
            CheckRow("no_negative_transfer", bool(gate["passed"]), dict(gate)),
            CheckRow("no_leakage", training_pairs.holds(facts["certificate"]), facts["certificate"]),
        ],
        advisory=frozenset({"no_negative_transfer"}),  # publication asks for a waiver
        remedies={"no_leakage": training_pairs.REMEDY},
    )


def _headline(records: Any) -> dict[str, float]:
    """HIER's NDCG@10 over all users, zero-shot and in every few-shot setting."""
    return {
        f"ndcg10_shots_{r['shots'].replace('%', 'pct')}": round(r["value"], 6)
        for r in records.to_pylist()
        if (r["model"], r["slice"], r["metric"], r["k"]) == ("hier", "all", "ndcg", 10)
    }
