"""The request of every stage, from domains.yaml, the raw files and what the registry holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hier_dag.config import PlatformConfig
from hier_dag.config.shapes_file import load_shapes
from hier_dag.config.sources import TableSource
from hier_dag.digest import request_key
from hier_dag.errors import ContractError
from hier_dag.ingest.fingerprint import RawInput, fingerprint
from hier_dag.ingest.links import link_inputs
from hier_dag.names import title_of
from hier_dag.pipeline.request import Request, plain
from hier_dag.pipeline.stages import (
    CODE_VERSIONS,
    ENCODER,
    EVENTS,
    GRAPH,
    LINKS,
    MODEL,
    PUBLISHED,
    REFUSED,
    STUDY,
)
from hier_dag.registry import Registry
from hier_dag.store import Manifest


def events_request(config: PlatformConfig, domain: str, corrections: str | None = None) -> Request:
    """What ingest of a domain would make from the files that lie there now.

    Args:
        config: the platform.
        domain: the domain.
        corrections: digest of the domain's newest corrections of quarantined rows, if there are any.

    Raises:
        SourceError: when a declared file is missing or empty.
    """
    declared = config.domains[domain]
    inputs = fingerprint(config, declared.sources, domain)
    params = {
        "sources": [_meaning(s) for s in declared.sources],
        "behaviors": declared.behaviors,
        "rules": config.stages.ingest.rules(),
        "max_events_per_user_day": declared.max_events_per_user_day,
        "max_quarantined": config.max_quarantined(domain),
        "max_quarantined_by_reason": config.max_quarantined_by_reason(domain),
    }
    parents = {} if corrections is None else {"corrections": corrections}
    known = [_input(i) for i in inputs]
    return Request(EVENTS, domain, CODE_VERSIONS[EVENTS], params, parents, known, raw=inputs, kept_as=REFUSED)


def links_request(config: PlatformConfig) -> Request:
    """What ingest of the shared links and catalogues would make now."""
    inputs = link_inputs(config)
    rules = config.stages.ingest
    params = {
        "links": {
            k: [_meaning(s) for s in getattr(config.links, k)] for k in type(config.links).model_fields
        },
        "catalogues": {d: [_meaning(c) for c in v.catalogue] for d, v in config.domains.items()},
        "rules": rules.model_dump(include={"max_id_length", "max_quarantined", "max_quarantined_by_reason"}),
    }
    known = [{**_input(i.raw), "feeds": i.feeds} for i in inputs]
    return Request(LINKS, None, CODE_VERSIONS[LINKS], params, inputs=known, raw=inputs, kept_as=REFUSED)


def _meaning(source: TableSource) -> dict[str, Any]:
    """What a declaration says of its rows; where they lie is in the inputs, and a URL may hold secrets."""
    return source.model_dump(exclude={"path", "sql", "table", "terms"})


def _input(raw: RawInput) -> dict[str, Any]:
    return {
        "location": raw.location,
        "sha256": raw.sha256,
        "bytes": raw.bytes,
        "format": raw.format,
        "source": raw.source,
        "domain": raw.domain,
    }


def graph_request(config: PlatformConfig, registry: Registry) -> Request:
    """What the graph would be made of: the newest validated artifact of *every* declared domain.

    Raises:
        ContractError: naming the domains that have none.
    """
    parents = {f"events:{d}": registry.latest(EVENTS, d) for d in config.domains}
    parents["links"] = registry.latest(LINKS, None)
    missing = [role for role, digest in parents.items() if digest is None]
    if missing:
        raise ContractError(
            "the graph needs the validated artifact of every declared domain; "
            f"missing: {', '.join(missing)}.",
            fix="materialise raw/events of the domains named (and raw/links), then the graph",
            detail={"missing": missing},
        )
    params = {
        "domains": {d: {"role": v.role, "audience": v.audience} for d, v in config.domains.items()},
        # Training goes through the sources in this order, and an object of JSON has none.
        "order": list(config.domains),
        "splits": {d: config.split_of(d).model_dump(mode="json") for d in config.domains},
        "contract": _graph_contract(config),
    }
    return Request(GRAPH, None, CODE_VERSIONS[GRAPH], params, parents={k: str(v) for k, v in parents.items()})


def _graph_contract(config: PlatformConfig) -> dict[str, Any]:
    """Limits and further shapes of the graph: what passed with a warning may not pass a block.

    Raises:
        ConfigError: when the file of shapes has a mistake.
    """
    declared = config.stages.graph
    further = [] if declared.shapes is None else load_shapes(Path(declared.shapes)).plain()
    return {**declared.model_dump(exclude={"shapes"}), "shapes": further}


def encoder_request(config: PlatformConfig, registry: Registry) -> Request:
    """What pre-training would make from the newest graph."""
    params = config.stages.pretrain
    parents = {"graph": _latest(registry, GRAPH, None)}
    values = plain({**asdict(params), "gates": _gates(config, "encoder", "collapse")})
    return Request(ENCODER, None, CODE_VERSIONS[ENCODER], values, parents, seeds=[params.seed])


def model_request(config: PlatformConfig, registry: Registry, domain: str) -> Request:
    """What transfer to a target would make from the newest encoder and the graph it was trained on."""
    encoder = _latest(registry, ENCODER, None)
    parents = {"graph": registry.parents(encoder)["graph"], "encoder": encoder}
    gates = _gates(config, "transfer_baselines")
    values = plain({**asdict(config.stages.transfer), "gates": gates})
    seeds = list(config.stages.transfer.seeds)
    return Request(MODEL, domain, CODE_VERSIONS[MODEL], values, parents, seeds=seeds)


def _gates(config: PlatformConfig, *names: str) -> dict[str, Any]:
    """What gates would do is part of the question: what passed with a warning may not pass a block."""
    return config.stages.gates.model_dump(include={*names})


def training_key(of: Request | Manifest) -> str:
    """Names the training that an encoder's request asks for, or that made one; gates are no part of it."""
    params = {name: value for name, value in of.params.items() if name != "gates"}
    return request_key(of.kind, of.partition, of.code_version, params, of.parents)


def published_request(config: PlatformConfig, registry: Registry, domain: str) -> Request:
    """What publication for a target would make from its newest model.

    The anchor is a parent whether or not sets may be turned: one that hardly moved goes on with its space.
    """
    model = _latest(registry, MODEL, domain)
    above = registry.parents(model)
    parents = {"graph": above["graph"], "encoder": above["encoder"], "model": model}
    anchor = _anchor(registry, domain, model)
    if anchor is not None:
        parents["anchor"] = anchor
    return Request(PUBLISHED, domain, CODE_VERSIONS[PUBLISHED], config.stages.publish.of_the_files(), parents)


def _anchor(registry: Registry, domain: str, model: str) -> str | None:
    """The set that began the space which a new set is to go on with; None for a domain's first.

    A model that was ever live keeps the anchor that it was judged by, so that its request stays the same one
    after a roll-back to another space; any other model goes on with the space of what is live.
    """
    history = registry.alias_history(domain)
    for digest in dict.fromkeys(row.digest for row in history):
        given = registry.parents(digest)
        if given.get("model") == model:
            return given.get("anchor")
    live = registry.artifact(history[0].digest) if history else None
    return None if live is None else live.manifest["summary"].get("anchor") or live.digest


def study_request(
    kind: str, partition: str, params: dict[str, Any], parents: dict[str, str], seeds: list[int]
) -> Request:
    """What a cell of a study (`study/<name>`) or the work that studies share (`study/result`) would make."""
    return Request(kind, partition, CODE_VERSIONS[STUDY], params, parents, seeds=seeds)


def newest_graph(config: PlatformConfig, registry: Registry) -> str:
    """Digest of the newest graph.

    Raises:
        ContractError: when there is none, or it was made of other domains than are declared now.
    """
    digest = _latest(registry, GRAPH, None)
    made = registry.artifact(digest)
    of = {} if made is None else {d: v["role"] for d, v in made.manifest["params"]["domains"].items()}
    if of != {d: v.role for d, v in config.domains.items()}:
        raise ContractError(
            "kg/graph was made of other domains than domains.yaml declares now.", fix="run: hier run"
        )
    return digest


def _latest(registry: Registry, kind: str, partition: str | None) -> str:
    digest = registry.latest(kind, partition)
    if digest is None:
        name = title_of(kind, partition)
        raise ContractError(
            f"{name} has not been made yet.", domain=partition, fix=f"materialise {name} first"
        )
    return digest
