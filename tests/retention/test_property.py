"""Whatever was made from whatever, published, pinned or forgotten: nothing goes that something needs."""

import os
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.retention.conftest import Town

SETS = st.integers(0, 7)
MOVES = st.lists(st.tuples(st.sampled_from(["live", "canary"]), SETS), max_size=8)
PINS = st.lists(st.tuples(st.sampled_from(["pin", "unpin"]), SETS), max_size=4)


@st.composite
def artifacts(draw):
    """Kind, numbers of the parents, whether it is on record, and whether it was used today, of each."""
    one = []
    for n in range(8):
        kind = draw(st.sampled_from(["kg/graph", "pretrain/encoder", "publish/embeddings"]))
        parents = draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else set()
        one.append((kind, sorted(parents), draw(st.integers(0, 3)) > 0, draw(st.integers(0, 5)) == 0))
    return one


def ancestors(start, parents):
    """Naive: by recursion, over and over."""
    return set(start).union(*(ancestors(parents[n], parents) for n in start))


@settings(max_examples=25, deadline=None)
@given(made=artifacts(), moves=MOVES, pins=PINS, keep=st.integers(1, 3))
def test_a_clean_up_removes_exactly_what_nothing_that_stays_was_made_from(made, moves, pins, keep):
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder))
        digests, stays, newest = [], set(), {}
        for n, (kind, parents, recorded, _) in enumerate(made):
            partition = "cafe" if kind == "publish/embeddings" else None
            artifact = town.commit(f"{n}", kind, partition, [digests[p] for p in parents])
            digests.append(artifact.digest)
            if recorded or n == 0:
                town.record(artifact)
                newest[kind] = n
        versions = {"live": [], "canary": []}
        for alias, n in moves:
            town.move(digests[n], alias, action="rollback")
            versions[alias].append(n)
        for kind, n in pins:
            town.registry.decide("cafe", kind, digests[n], why="w")
        town.age()
        for n, (_, _, _, today) in enumerate(made):
            if today:
                os.utime(town.store.path_of(made[n][0], digests[n]))
                stays.add(n)
        for numbers in versions.values():
            stays |= set(list(dict.fromkeys(reversed(numbers)))[:keep])
        stays |= {n for n in range(8) if [k for k, m in pins if m == n][-1:] == ["pin"]}
        stays |= set(newest.values())
        stays = ancestors(stays, [parents for _, parents, _, _ in made])

        done = town.collect(timedelta(0), keep=keep)

        assert town.there() == {digests[n] for n in stays}
        assert {g.artifact.digest for g in done.removed} == set(digests) - town.there()
        for n in stays:
            assert town.store.open(made[n][0], digests[n]).file("f").read_text() == f"{n}"
        again = town.collect(timedelta(0), keep=keep)
        assert (again.removed, again.leftovers, again.given_back) == ((), (), ())
