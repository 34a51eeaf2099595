"""What Dagster shows of a step: digest, columns, lineage, counts, pictures; and of one that was refused."""

import base64
import re
from io import BytesIO
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest
from matplotlib import image

from hier_dag.pipeline.stages import EVENTS, GRAPH

KINDS = ("raw/events", "raw/links", "kg/graph", "pretrain/encoder", "finetune/model", "publish/embeddings")


def key(kind):
    return dg.AssetKey(kind.split("/"))


def shown(platform, kind, partition=None):
    """The newest materialisation of an asset, or of one partition."""
    wanted = dg.AssetRecordsFilter(asset_key=key(kind), asset_partitions=partition and [partition])
    (record,) = platform.instance().fetch_materializations(wanted, limit=1).records
    return record.asset_materialization


def values(materialization):
    return {name: value.value for name, value in materialization.metadata.items()}


def picture(markdown):
    """The PNG inside an image of Markdown."""
    (text,) = re.findall(r"^!\[.+\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)$", markdown)
    return base64.b64decode(text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_digest_is_the_data_version(platform, kind):
    partition = "grocery" if kind in ("raw/events", "finetune/model", "publish/embeddings") else None
    seen = shown(platform, kind, partition)
    artifact = platform.latest(kind, partition)
    assert seen.tags["dagster/data_version"] == values(seen)["digest"] == artifact.digest
    assert values(seen)["folder"] == str(artifact.path)
    assert values(seen)["size"].endswith(f"MB in {len(artifact.manifest.files)} files")
    for parent in artifact.manifest.parents.values():
        assert parent[:12] in values(seen)["parents"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_leads_to_the_registrys_event_to_parents_and_to_the_command_that_traces_it(platform, kind):
    partition = "grocery" if kind in ("raw/events", "finetune/model", "publish/embeddings") else None
    seen, artifact = values(shown(platform, kind, partition)), platform.latest(kind, partition)
    row = platform.registry.artifact(artifact.digest)
    assert seen["event"] == row.event
    assert f"by {row.who}, code {row.code_commit}" in seen["made"]
    assert seen["trace"] == f"hier audit trace {artifact.digest[:12]}"
    told = {role: name.rpartition("@") for role, name in seen.get("parent_artifacts", {}).items()}
    assert {role: digest for role, (_, _, digest) in told.items()} == artifact.manifest.parents
    for role, (title, _, digest) in told.items():
        parent = platform.registry.artifact(digest)
        assert title == (f"{parent.kind}[{parent.partition}]" if parent.partition else parent.kind)
        assert f"| {role} | [{parent.kind}" in seen["parents"]
        assert f"(/assets/{parent.kind}" in seen["parents"]
        assert f"| `{digest[:12]}` | {parent.event} |" in seen["parents"]
    read = {f["location"]: f["sha256"] for f in artifact.manifest.inputs}
    assert seen.get("raw_inputs", {}) == read


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_described(platform, kind):
    partition = "grocery" if kind in ("raw/events", "finetune/model", "publish/embeddings") else None
    schema = values(shown(platform, kind, partition))["dagster/column_schema"]
    assert schema.columns
    for column in schema.columns:
        assert column.type
        assert column.description, f"{kind}.{column.name}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_of_every_table_is_shown(platform, kind):
    partition = "grocery" if kind in ("raw/events", "finetune/model", "publish/embeddings") else None
    seen = values(shown(platform, kind, partition))
    artifact = platform.latest(kind, partition)
    columns = {c.name.rpartition(".")[2] for c in seen["dagster/column_schema"].columns}
    files = [f.path for f in artifact.manifest.files if f.path.endswith(".parquet")]
    assert files
    for file in files:
        table = pq.ParquetFile(artifact.file(file))
        assert set(table.schema_arrow.names) <= columns or file.startswith("quarantine/")
        assert f"| {file} | {table.metadata.num_rows:,} | {table.metadata.num_columns} |" in seen["tables"]


@pytest.mark.parametrize("kind", KINDS[2:])
def test_every_column_comes_from_columns_of_the_assets_above(platform, kind):
    partition = "grocery" if kind in ("finetune/model", "publish/embeddings") else None
    seen = values(shown(platform, kind, partition))
    lineage = seen["dagster/column_lineage"].deps_by_column
    assert set(lineage) == {c.name for c in seen["dagster/column_schema"].columns}
    assert all(lineage.values())
    above = {dep.asset_key for deps in lineage.values() for dep in deps}
    roles = platform.latest(kind, partition).manifest.parents
    assert {"/".join(k.path) for k in above} <= {_kind_of(role) for role in roles}
    there = {}
    for asset in above:
        name = asset.to_user_string()
        domain = "grocery" if name in ("raw/events", "finetune/model") else None
        schema = values(shown(platform, name, domain))["dagster/column_schema"]
        there[asset] = {c.name for c in schema.columns}
    lost = [d for deps in lineage.values() for d in deps if d.column_name not in there[d.asset_key]]
    assert not lost


def _kind_of(role):
    """The kind of artifact that a parent's role stands for."""
    kinds = {"links": "raw/links", "graph": GRAPH, "encoder": "pretrain/encoder", "model": "finetune/model"}
    return kinds.get(role, EVENTS)


def test_row_counts(platform):
    events = values(shown(platform, EVENTS, "recipes"))
    assert events["dagster/partition_row_count"] == events["rows_out"]
    assert events["rows_in"] == events["rows_out"] + events["rows_quarantined"] + events["deduplicated"]
    graph = values(shown(platform, GRAPH))
    assert graph["dagster/row_count"] == graph["users"] + graph["items"] + graph["entities"]
    encoder = values(shown(platform, "pretrain/encoder"))
    assert encoder["dagster/row_count"] == graph["users"] + graph["items"]
    published = values(shown(platform, "publish/embeddings", "recipes"))
    assert published["dagster/partition_row_count"] == published["users"] + published["items"]


def test_samples_of_rows_and_of_quarantine(platform):
    events = values(shown(platform, EVENTS, "recipes"))
    head, _, *rows = events["sample"].splitlines()
    assert head.startswith("| user_id | item_id | behavior |")
    assert len(rows) == 5
    assert "reason" in events["quarantine_sample"].splitlines()[0]
    assert "logs/recipes.csv.gz" in events["raw_files"]


def test_events_lead_to_their_data_docs(platform):
    page = Path(values(shown(platform, EVENTS, "recipes"))["data_docs"])
    assert page == platform.home.data_docs / "recipes.html"
    assert "validations/recipes/accepted/" in page.read_text()
    assert (page.parent / "index.html").read_text().count("<td>accepted</td>") == 8


def test_training_shows_its_curve_and_what_exemplars_mean(platform):
    seen = values(shown(platform, "pretrain/encoder"))
    png = picture(seen["curve"])
    assert len(seen["curve"]) < 50_000
    height, width, _ = image.imread(BytesIO(png)).shape
    assert width > 300
    assert height > 150
    assert seen["validation_ndcg10"] > seen["untrained_profile_ndcg10"]
    assert "nearest entities" in seen["exemplar_entities"]


def test_transfer_shows_its_report_card(platform):
    seen = values(shown(platform, "finetune/model", "grocery"))
    assert seen["report_card"].startswith("### grocery")
    for words in ("zero-shot", "NDCG@10", "HR@10", "popularity", "95 % bootstrap interval"):
        assert words in seen["report_card"]
    assert len(picture(seen["curve"])) < 50_000
    assert 0 <= seen["ndcg10_shots_0"] <= 1
    page = Path(seen["report_card_file"]).read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html")
    assert "grocery" in page
    empty = values(shown(platform, "finetune/model", "meal_kits"))
    assert empty["report_card"] == "no test interaction in this domain: nothing to score"


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_was_shown_and_none_that_blocks_failed(platform, kind):
    (asset,) = [a for a in platform.definitions().assets if a.key == key(kind)]
    storage = platform.instance().event_log_storage
    for check in asset.check_keys:
        records = storage.get_asset_check_execution_history(check, limit=20)
        assert records, check
        verdicts = [r.event.dagster_event.event_specific_data for r in records]
        # The tiny encoder may lose to a baseline in a target: that is shown, as a warning.
        informs = check.name == "no_negative_transfer"
        assert all(v.passed or (informs and v.severity == dg.AssetCheckSeverity.WARN) for v in verdicts)


@pytest.fixture
def materialize(own):
    """Materialises one asset on the copy's instance: the run's result."""

    def run(kind, partition=None):
        job = own.definitions().resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=own.instance(),
            partition_key=partition,
            asset_selection=[key(kind)],
            raise_on_error=False,
        )

    return run


def test_a_refused_contract_is_a_failed_check_and_no_materialisation(own, materialize):
    path = own.logs / "grocery.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(x.replace('"type": "', '"type": "un') for x in lines), encoding="utf-8")
    result = materialize(EVENTS, "grocery")
    assert not result.success
    assert not result.get_asset_materialization_events()
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("contract", False)
    facts = {name: value.value for name, value in check.metadata.items()}
    assert (facts["domain"], facts["file"], facts["column"]) == ("grocery", "logs/grocery.jsonl", "type")
    assert facts["detail"]["quarantined"]["unknown_behavior"] > 500
    assert len(facts["detail"]["sample"]) == 5
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert "logs/grocery.jsonl" in failure.step_failure_data.user_failure_data.description
    assert own.registry.failures(EVENTS, "grocery")[0]["run_id"] == result.run_id
    assert shown(own, EVENTS, "grocery").tags["dagster/data_version"] == own.latest(EVENTS, "grocery").digest


def test_the_graph_refuses_while_a_declared_domain_has_no_artifact(fresh):
    job = fresh.definitions().resolve_implicit_global_asset_job_def()
    instance = fresh.instance()

    def run(kind, partition=None):
        return job.execute_in_process(
            instance=instance, partition_key=partition, asset_selection=[key(kind)], raise_on_error=False
        )

    assert run(EVENTS, "recipes").success
    assert run("raw/links").success
    result = run(GRAPH)
    assert not result.success
    assert not result.get_asset_materialization_events()
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert "events:food_delivery" in said
    assert "events:meal_kits" in said
    assert "events:recipes" not in said
    assert "materialise raw/events of the domains named" in said
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed


def test_asking_again_reuses_the_artifact_and_shows_the_same_checks(own, materialize):
    before = own.artifacts()
    result = materialize(GRAPH)
    (event,) = result.get_asset_materialization_events()
    seen = event.materialization
    assert seen.metadata["reused"].value is True
    assert seen.tags["dagster/data_version"] == own.latest(GRAPH).digest
    assert {c.check_name for c in result.get_asset_check_evaluations()} == {
        "contract", "all_domains", "degree_drift", "heterograph", "integrity", "no_leakage", "shapes",
        "structure",
    }  # fmt: skip
    assert len(result.get_asset_check_evaluations()) == 8
    assert own.artifacts() == before


@pytest.mark.parametrize(("kind", "partition"), [(EVENTS, "grocery"), ("raw/links", None)])
def test_rows_of_erased_users_are_counted_apart_from_all_others(own, hier, materialize, kind, partition):
    friends = pq.read_table(own.latest("raw/links").file("user_user.parquet"))["user_id"].to_pylist()
    events = own.latest(EVENTS, "grocery").files("events/")
    user = next(u for u in friends if u in set(pq.read_table(events[0])["user_id"].to_pylist()))
    assert hier("forget", user, "--why", "w").code == 0
    (event,) = materialize(kind, partition).get_asset_materialization_events()
    table = values(event.materialization)["raw_files"].splitlines()
    heads, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
    files = [dict(zip(heads, row, strict=True)) for row in rows if set(row[0]) != {"-"}]
    counts = ("rows out", "quarantined", "deduplicated", "erased")

    def number(cell):
        return int(cell.replace(",", ""))

    assert sum(number(file["erased"]) for file in files) > 0
    assert all(number(file["rows in"]) == sum(number(file[count]) for count in counts) for file in files)
