"""Equal inputs have equal digests, from raw files to vectors, whoever makes them where."""

import json
import os
import subprocess
import sys


def test_another_process_makes_the_same_artifacts_of_the_same_logs_in_another_folder(finished, fresh):
    command = [sys.executable, "-m", "hier_dag.cli.app", "run", str(fresh.domains), "--json"]
    done = subprocess.run(
        command, env=os.environ | fresh.environment(), cwd=fresh.folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert {step["outcome"] for step in json.loads(done.stdout)["steps"]} == {"made"}
    assert fresh.folder != finished.folder
    kinds = {(path.parent.parent.name, path.parent.name, path.name) for path in finished.artifacts()}
    assert {(p.parent.parent.name, p.parent.name, p.name) for p in fresh.artifacts()} == kinds
    assert {kind for kind, _, _ in kinds} == {"raw", "kg", "pretrain", "finetune", "publish"}
