"""How cells of studies, and the work that they share, are built again from their manifests."""

from __future__ import annotations

from pathlib import Path

from hier_dag.digest import digest_file
from hier_dag.errors import SourceError
from hier_dag.home import Home, state_root
from hier_dag.pipeline.recorded import domains_of
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import GRAPH, MODEL, RESULT
from hier_dag.pipeline.workshop import Built
from hier_dag.reproduce.bench import Bench
from hier_dag.store import Artifact, ArtifactStore


def result(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """study/result: the work that cells share, with the threads that its parameters say."""
    from hier_dag.study.setting import recorded_setting
    from hier_dag.study.trained import compute_result

    setting = recorded_setting(request.params, request.seeds[0])
    return compute_result(bench.workshop, setting, request.title, request, staged)


def cell(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """A cell of a trained study, from the result that it names."""
    from hier_dag.study.files import CELL
    from hier_dag.study.trained import write_cell

    shared = bench.workshop.open(RESULT, recorded.json(CELL)["result"])
    return write_cell(request, shared, staged)


def interpretability(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """study/interpretability: the encoder is trained anew, as its parameters say, and read again."""
    from hier_dag.graph.files import load_graph
    from hier_dag.study.interpretability_files import write_cell
    from hier_dag.train.params import PretrainParams
    from hier_dag.train.pretrain import pretrain

    made = bench.workshop.open(GRAPH, request.parents["graph"])
    graph = load_graph(made.path, *domains_of(made.manifest))
    encoding = pretrain(graph, PretrainParams(**request.params["pretrain"])).encoding
    return write_cell(graph, made.path, encoding, _proven_truth(request, bench), request, staged)


def _proven_truth(request: Request, bench: Bench) -> Path | None:
    """Folder of the planted truth, its files what they were; None where there was none.

    Raises:
        SourceError: a file of it is missing or has changed.
    """
    from hier_dag.evaluate.interpret.truth import FOLDER

    truth: dict[str, str] = request.params["truth"]
    if not truth:
        return None
    data = bench.raw.folder()
    for name, digest in truth.items():
        file = data / FOLDER / name
        if not file.is_file() or digest_file(file) != digest:
            raise SourceError(
                f"it is {'not what it was' if file.is_file() else 'missing'}, and recovery was scored by it.",
                file=f"{FOLDER}/{name}",
                fix="bring it back beside the logs, or name the folder that holds both now: --data DIR",
            )
    return data


def platform(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """study/platforms: reports are copied again, those of another platform from its own store."""
    from hier_dag.study.platforms import reports_of, write_cell

    here = bench.workshop.store
    other = ArtifactStore(Home(state_root() / str(request.params["platform"])).store)

    def opened(digest: str) -> Artifact:
        return (here if here.has(MODEL, digest) else other).open(MODEL, digest)

    return write_cell(request, [opened(d) for d in reports_of(request.params)], staged)
