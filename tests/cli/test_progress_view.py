"""What a person sees on a terminal while an encoder is trained."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

# A step as `hier run` shows it: meanwhile Dagster has standard output go to a file.
SHOWN = """
import os, sys, time
from types import SimpleNamespace
from hier_dag.cli.progress_view import watching
from hier_dag.progress import tell
from hier_dag.train.progress import Progress, as_step

step = SimpleNamespace(title="pretrain/encoder")
with watching(False) as view:
    view.total(1)
    view.started(step)
    kept, file = os.dup(1), os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
    os.dup2(file, 1)
    tell(as_step(Progress(12, 100, 300, 400, 12.3456, 0.12345, 123_456.0, 0.02, 754.0)))
    time.sleep(0.5)
    os.dup2(kept, 1)
    outcome, message = sys.argv[2:]
    view.done(SimpleNamespace(step=step, outcome=outcome, seconds=1.0, message=message))
"""
MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(columns, file, outcome="made", message=""):
    """What 24 lines of so many columns are sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SHOWN, str(file), outcome, message],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
    )  # fmt: skip
    os.close(theirs)
    sent = b""
    try:
        while block := os.read(ours, 4096):
            sent += block
    except OSError:  # Linux says so when the last writer has closed it
        pass
    os.close(ours)
    assert child.wait() == 0, sent.decode()
    return sent.decode()


def frames(sent):
    return [line for line in re.split(r"[\r\n]+", MOVES.sub("", sent)) if line.strip()]


def test_loss_ndcg_and_time_left_are_seen_in_one_line_of_100_columns_while_a_step_runs(tmp_path):
    sent = on_a_terminal(100, tmp_path / "captured")
    told = [line for line in frames(sent) if "epoch 12/100" in line]
    assert told
    for line in told:
        assert "loss 12.346, NDCG@10 0.1235, 12 min 34 s left  " in line  # the rate has no room
        assert "━" in line
        assert len(line) <= 100
    assert "\x1b[1A" not in sent  # no frame took a second line
    assert (tmp_path / "captured").read_bytes() == b""


def test_a_narrow_terminal_cuts_words_and_wraps_nothing(tmp_path):
    sent = on_a_terminal(60, tmp_path / "captured")
    assert "epoch 12/100 " in MOVES.sub("", sent)
    assert all(len(line) <= 60 for line in frames(sent) if "━" in line)
    assert "\x1b[1A" not in sent


def test_a_failure_is_told_above_the_bar(tmp_path):
    said = frames(on_a_terminal(100, tmp_path / "captured", "failed", "user vectors are all alike"))
    assert any("✗  1/1 pretrain/encoder" in line for line in said)
    assert any("user vectors are all alike" in line for line in said)
