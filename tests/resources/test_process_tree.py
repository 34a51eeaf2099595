"""A process that does not end by itself goes with all that it started, whatever session that is in."""

import subprocess
import sys

import psutil

from resources.process_tree import kill_tree

# Three generations that ignore SIGTERM, each the leader of a session, as ranks are.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
below = int(sys.argv[1])
if below:
    subprocess.Popen([sys.executable, "-c", sys.argv[2], str(below - 1), sys.argv[2]], start_new_session=True)
else:
    print("ready", flush=True)
time.sleep(600)
"""


def test_three_generations_end_and_the_one_beside_them_stays():
    beside = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    command = [sys.executable, "-c", STUBBORN, "2", STUBBORN]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert first.stdout.readline() == b"ready\n"
        below = psutil.Process(first.pid).children(recursive=True)
        assert len(below) == 2
        kill_tree(first.pid)
        assert first.wait(10) == -9
        assert not psutil.wait_procs(below, timeout=10)[1]
        assert beside.poll() is None
    finally:
        beside.kill()
        beside.wait()
        first.stdout.close()
