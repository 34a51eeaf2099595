"""The pod of a worker is one that Kubernetes would take, with what was declared for it."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from hier_dag.config import load_config
from hier_dag.errors import ConfigError
from resources.pod import pod_spec
from resources.worker_process import Order, run_in_pod

kubernetes = pytest.importorskip("kubernetes", reason="needs dagster-k8s: pip install -e '.[k8s]'")

DECLARED = {
    "image": "registry.example/hier:1", "volume_claim": "hier", "mount": "/state", "namespace": "training",
    "cpu": "8", "memory": "32Gi", "gpus": 2, "node_selector": {"accelerator": "a100"},
}  # fmt: skip


@pytest.fixture
def declare(fresh):
    """Loads the platform with some `trainer` in its declaration."""

    def load(trainer):
        whole = yaml.safe_load(fresh.domains.read_text(encoding="utf-8"))
        fresh.domains.write_text(yaml.safe_dump({**whole, "trainer": trainer}), encoding="utf-8")
        return load_config(fresh.domains).trainer

    return load


def pod(params, order="/state/jobs/job.json"):
    """The pod as Dagster's client builds it and as the client's models have it."""
    from dagster_k8s.pipes import build_pod_body

    body = build_pod_body("name", None, None, {"DAGSTER_PIPES_MESSAGES": "x"}, None, pod_spec(params, order))
    return body.to_dict()


def test_it_has_the_image_the_volume_and_the_gpus_that_were_declared(declare):
    made = pod(declare({"mode": "k8s", "processes": 2, "pod": DECLARED}).pod)["spec"]
    (container,) = made["containers"]
    assert container["image"] == "registry.example/hier:1"
    assert container["command"] == ["python", "-m", "hier_dag.worker", "/state/jobs/job.json"]
    wanted = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "2"}
    assert container["resources"]["limits"] == container["resources"]["requests"] == wanted
    (mount,), (volume,) = container["volume_mounts"], made["volumes"]
    assert mount["name"] == volume["name"]
    assert mount["mount_path"] == "/state"
    assert volume["persistent_volume_claim"]["claim_name"] == "hier"
    assert made["node_selector"] == {"accelerator": "a100"}
    assert {e["name"] for e in container["env"]} >= {"DAGSTER_PIPES_MESSAGES"}


def test_the_dag_loads_with_a_trainer_in_pods(declare, fresh):
    params = declare({"mode": "k8s", "pod": DECLARED})
    trainer = fresh.definitions().resources["trainer"]
    assert trainer.mode == "k8s"
    assert type(params.pod).model_validate(trainer.pod) == params.pod
    dg.Definitions.validate_loadable(fresh.definitions())


def test_it_is_not_restarted_by_kubernetes_and_has_time_to_save(declare):
    made = pod(declare({"mode": "k8s", "pod": DECLARED}).pod)["spec"]
    assert made["restart_policy"] == "Never"
    assert made["termination_grace_period_seconds"] >= 60


def test_the_least_declaration_asks_for_no_resources(declare):
    least = {k: DECLARED[k] for k in ("image", "volume_claim", "mount")}
    (container,) = pod(declare({"mode": "k8s", "pod": least}).pod)["spec"]["containers"]
    assert not (container["resources"] or {}).get("limits")


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        ({"mode": "k8s"}, "declare both or neither"),
        ({"mode": "inline", "pod": DECLARED}, "declare both or neither"),
        ({"processes": 2}, "needs `mode: torchrun` or `k8s`"),
        ({"mode": "k8s", "pod": {**DECLARED, "mount": "state"}}, "pattern"),
        ({"mode": "k8s", "pod": {**DECLARED, "gpus": -1}}, "greater than or equal to 0"),
        ({"keep_unfinished_days": 0}, "greater than 0"),
        ({"keep_unfinished_days": float("inf")}, "finite"),
    ],
)
def test_a_declaration_that_fits_nothing_is_a_mistake(declare, trainer, words):
    with pytest.raises(ConfigError, match=words):
        declare(trainer)


def test_state_that_the_pod_would_not_see_is_named_before_anything_is_asked_for(declare, tmp_path):
    params = declare({"mode": "k8s", "pod": DECLARED}).pod
    order = Order("pretrain", {})
    with pytest.raises(ConfigError, match="a pod would not see HIER_HOME"):
        run_in_pod(dg.build_asset_context(), order, params, Path(tmp_path, "jobs"))
