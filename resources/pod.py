"""The Kubernetes pod that a worker runs in, as Dagster's Pipes client takes it."""

from typing import Any

from hier_dag.config.trainer import PodParams

_VOLUME = "hier-home"
_GPU = "nvidia.com/gpu"
_SAVING_TAKES = 120  # seconds that an evicted worker has to save


def pod_spec(params: PodParams, order: str) -> dict[str, Any]:
    """What the pod is asked to be.

    Args:
        params: as declared under `trainer.pod`.
        order: path of the worker's job file, on the mounted volume.

    Returns:
        A PodSpec with Kubernetes' own names, ready for `PipesK8sClient.run(base_pod_spec=…)`.
    """
    amounts = {"cpu": params.cpu, "memory": params.memory, _GPU: str(params.gpus) if params.gpus else None}
    given = {name: amount for name, amount in amounts.items() if amount is not None}
    container = {
        "image": params.image,
        "command": ["python", "-m", "hier_dag.worker", order],
        "volumeMounts": [{"name": _VOLUME, "mountPath": params.mount}],
        # What is asked for is what it gets: a training that is throttled or evicted halfway costs more.
        **({"resources": {"requests": given, "limits": given}} if given else {}),
    }
    return {
        "restartPolicy": "Never",  # Dagster retries, from the last checkpoint on
        "terminationGracePeriodSeconds": _SAVING_TAKES,
        "containers": [container],
        "volumes": [{"name": _VOLUME, "persistentVolumeClaim": {"claimName": params.volume_claim}}],
        **({"serviceAccountName": params.service_account} if params.service_account else {}),
        **({"nodeSelector": dict(params.node_selector)} if params.node_selector else {}),
    }
