"""Roll-backs under load: row 20 of the faults.

    python -m benchmarks.faults.rollback_drill [--flips 100] [--large 1000] [--json]

Two readers recommend and refresh all the time and another process publishes a set now and then, while an
operator rolls back, again and again, to the set before or to a version. A roll-back that finds that somebody
published in the meantime is given again, and that time counts. Large: roll-backs between two sets of two
files of so many MB together, which roll-backs must not read.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.published_sets import CONTEXT, DOMAIN, MODEL, Site, Watch, gaps, table, what_is_wrong
from hier_dag.environment import environment_digest
from hier_dag.errors import MovedOn
from hier_dag.pipeline.publication import roll_back
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.reader import open_set
from hier_dag.registry import AliasRow, Move
from hier_dag.registry.aliases import ROLLBACK
from hier_dag.store import Manifest


def drill(folder: Path, flips: int, rng: random.Random, *, pause: float = 0.3) -> dict[str, Any]:
    """Rolls back under load, and looks at times, reads and history.

    Args:
        folder: for the place.
        flips: roll-backs.
        rng: chooses where to.
        pause: seconds between publications.
    """
    site = Site(folder / "town", (str(folder / "copy"),))
    workshop = site.workshop()
    for mark in (1, 2, 3):
        site.publish(workshop, mark)
    ours, theirs = CONTEXT.Pipe()
    publisher = CONTEXT.Process(target=_publish_on, args=(site, 4, pause, theirs), daemon=True)
    publisher.start()
    took, seen, tries, wrong = [], [], 0, []
    with Watch(site, marked=False) as one, Watch(site, marked=False) as other:
        for flip in range(flips):
            began = time.perf_counter()
            row, restored, more = _back(site, flip, rng)
            took.append(time.perf_counter() - began)
            tries += more
            answer = open_set(site.home, DOMAIN)
            seen.append(time.perf_counter() - began)
            if row.digest != restored.digest or answer.version < row.version or what_is_wrong(answer):
                wrong.append(f"version {row.version}: {answer!r} {what_is_wrong(answer)}")
            time.sleep(0.02)
        ours.send("stop")
        published = ours.recv()
    publisher.join()
    back = [row for row in site.registry().alias_history(DOMAIN) if row.action == ROLLBACK]
    told = [row for row in back if row.who and row.why.startswith("drill ") and row.facts.get("restores")]
    reads = [one.found(), other.found()]
    return {
        "roll-backs": len(took), "p50 ms": _ms(took, 50), "p99 ms": _ms(took, 99), "max ms": _ms(took, 100),
        "until a new reader answers, max ms": _ms(seen, 100),
        "published meanwhile": published, "given again, as somebody published": tries,
        "reads": sum(r.reads for r in reads),
        "failed reads": sum(len(r.failed) for r in reads),
        "torn or mixed": sum(len(r.wrong) for r in reads),
        "wrong afterwards": len(wrong), "on record with who and why": len(told), "gaps": len(gaps(site)),
        "words": [*wrong, *(w for r in reads for w in (*r.failed, *r.wrong))][:3],
    }  # fmt: skip


def _back(site: Site, flip: int, rng: random.Random) -> tuple[AliasRow, AliasRow, int]:
    """One roll-back as a command makes it, from an opened registry on; how often it was given again."""
    for more in range(1000):
        workshop = site.workshop()
        try:
            history = workshop.registry.alias_history(DOMAIN)
            others = [row.version for row in history if row.digest != history[0].digest]
            earliest = min(row.version for row in history if row.digest == history[0].digest)
            to = rng.choice(others) if flip % 2 or earliest == 1 else None
            row, restored = roll_back(workshop, site.policy(), DOMAIN, to=to, why=f"drill {flip}")
            return row, restored, more
        except MovedOn:
            continue
        finally:
            workshop.registry.close()
    raise RuntimeError("somebody published every time")


def _publish_on(site: Site, mark: int, pause: float, pipe: Connection) -> None:
    workshop, first = site.workshop(), mark
    while not pipe.poll(pause):
        site.publish(workshop, mark)
        mark += 1
    pipe.send(mark - first)


def flips_alone(folder: Path, flips: int) -> dict[str, Any]:
    """What moving the alias and telling the places takes, without load and without the sets' own files."""
    site = Site(folder / "flips")
    registry, records, took = site.workshop().registry, AliasRecords(site.home), []
    for n in range(flips):
        began = time.perf_counter()
        registry.move_alias(
            Move(DOMAIN, "live", f"{n % 2:064x}", "run", "a flip", change="breaking", space="0" * 16, after=n)
        )
        records.catch_up(registry.alias_history(DOMAIN))
        took.append(time.perf_counter() - began)
    return {"flips": flips, "p50 ms": _ms(took, 50), "p99 ms": _ms(took, 99), "max ms": _ms(took, 100)}


def large(folder: Path, megabytes: int, flips: int = 10) -> list[dict[str, Any]]:
    """Roll-backs between two sets of some size: at home alone, and with a copy in a folder."""
    rows = []
    for name, copies in (("home", ()), ("home and a copy", (str(folder / "large copy"),))):
        site = Site(folder / name / "town", copies)
        workshop, took = site.workshop(), []
        for mark in range(2):
            digest = _large_set(site, mark, megabytes)
            site_move = Move(DOMAIN, "live", digest, "run", "large", change="breaking", space="0" * 16)
            workshop.registry.move_alias(site_move)
        for flip in range(flips + 2):  # the first two bring copies what they lack
            workshop = site.workshop()
            began = time.perf_counter()
            roll_back(workshop, site.policy(), DOMAIN, to=1 + flip % 2, why=f"large {flip}")
            took.append(time.perf_counter() - began)
        rows.append(
            {
                "a set of": f"{megabytes} MB", "places": name, "roll-backs": flips,
                "p50 ms": _ms(took[2:], 50),
                "max ms": _ms(took[2:], 100), "bringing it to the copy, ms": _ms(took[:2], 100),
            }
        )  # fmt: skip
    return rows


def _large_set(site: Site, mark: int, megabytes: int) -> str:
    """An artifact of two files with holes: its digests are those of its bytes."""
    store = site.workshop().store
    with store.stage(PUBLISHED) as staged:
        for name in ("users.parquet", "items.parquet"):
            with (staged / name).open("wb") as file:
                file.write(bytes([mark]))
                os.truncate(file.fileno(), megabytes * 500_000)
        manifest = Manifest(
            kind=PUBLISHED, partition=DOMAIN, request_key=f"{mark:064x}", code_version="1", params={},
            parents={"model": MODEL}, environment=environment_digest(),
        )  # fmt: skip
        return store.commit(staged, manifest).digest


def _ms(seconds: list[float], percentile: int) -> float:
    return round(1000 * float(np.percentile(seconds, percentile)), 1)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--large", type=int, default=1000, help="MB of a large set; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "under load": [drill(Path(folder), arguments.flips, random.Random(arguments.seed))],
            "the alias alone": [flips_alone(Path(folder), arguments.flips)],
        }
        if arguments.large:
            found["large sets"] = large(Path(folder), arguments.large)
    if arguments.json:
        print(json.dumps({"began": began.isoformat(), **found}, indent=1))
        return
    for title, rows in found.items():
        print(f"\n{title}\n\n{table([{k: v for k, v in row.items() if k != 'words'} for row in rows])}")
    print(*found["under load"][0]["words"], sep="\n")


if __name__ == "__main__":
    main()
