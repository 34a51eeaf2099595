"""A live Dagster (webserver, daemon, code location) on a copy of the small platform."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_START, _STOP = 240, 20  # seconds
_LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
_STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill {
      status
      runs(limit: 100) { runId status tags { key value } assetSelection { path } }
    }
  }
}"""


class Live:
    """A running Dagster UI."""

    def __init__(self, platform, url):
        self.platform, self.url = platform, url

    def ask(self, query, **variables):
        """Answers a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.loads(answer.read())
        assert "errors" not in found, found
        return found["data"]

    def is_up(self):
        """Whether the webserver answers and the code location has loaded."""
        query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
        try:
            return bool(self.ask(query)["repositoriesOrError"].get("nodes"))
        except (OSError, urllib.error.URLError):
            return False

    def backfill(self, *kinds, seconds):
        """Backfills all partitions of some assets as the UI does; gives its status and its runs."""
        params = {"assetSelection": [{"path": kind.split("/")} for kind in kinds], "allPartitions": True}
        launched = self.ask(_LAUNCH, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        deadline = time.monotonic() + seconds
        while True:
            found = self.ask(_STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
            if found["status"] not in ("REQUESTED", "FAILING", "CANCELING"):
                return found["status"], found["runs"]
            assert time.monotonic() < deadline, found
            time.sleep(1)


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def live(finished, tmp_path_factory):
    """Dagster as `hier ui` starts it, ended with every process that it started."""
    platform = type(finished)(tmp_path_factory.mktemp("ui") / "platform")
    shutil.copytree(finished.folder, platform.folder)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HIER_", "DAGSTER_"))}
    port, log = free_port(), platform.folder / "dg_dev.log"
    command = [
        Path(sys.executable).parent / "dg",
        "dev",
        "-w",
        REPOSITORY / "workspace.yaml",
        "-p",
        str(port),
    ]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment | platform.environment(), start_new_session=True,
        )  # fmt: skip
    try:
        running = Live(platform, f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + _START
        while not running.is_up():
            text = log.read_text(encoding="utf-8", errors="replace")[-3000:]
            assert server.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.5)
        yield running
    finally:
        end(server)


def end(server):
    """Ends a process and all below it: an interrupt first, so that runs end in order, then for good."""
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    os.killpg(server.pid, signal.SIGINT)
    _, left = psutil.wait_procs(family, timeout=_STOP)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=_STOP)
    server.wait(_STOP)
