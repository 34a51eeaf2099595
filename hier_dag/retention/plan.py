"""What would go and what stays, each with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hier_dag.config import PlatformConfig
from hier_dag.errors import RegistryError, StoreError
from hier_dag.home import Home
from hier_dag.pipeline.older_registry import refuse_older_registry
from hier_dag.pipeline.stages import RESULT
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.registry import Registry
from hier_dag.retention.at_copies import AtCopies, going_at_copies
from hier_dag.retention.declared import Declared
from hier_dag.retention.keep import REASONS, Facts, Rules, staying, used_at
from hier_dag.retention.leftovers import (
    Leftover,
    at_work_since,
    staged_leftovers,
    taken_before,
    temporary_files,
    temporary_records,
)
from hier_dag.retention.live_files import named_by_files
from hier_dag.retention.records import Known, Records, records_of
from hier_dag.retention.sizes import bytes_below, freed
from hier_dag.store.shelves import Present, Shelves
from hier_dag.store.staging import turn

ORPHAN = "on no record: its process ended before it was recorded"


@dataclass(frozen=True)
class Going:
    """An artifact that need not stay.

    Attributes:
        artifact: it.
        bytes: of its files.
        age: since it was last made, asked for, opened, or left by an alias.
        why: it goes.
    """

    artifact: Present
    bytes: int
    age: timedelta
    why: str


@dataclass(frozen=True)
class Stays:
    """How many artifacts stay for one reason."""

    why: str
    artifacts: int
    bytes: int


@dataclass(frozen=True)
class Plan:
    """What a clean-up would do.

    Attributes:
        going: artifacts, oldest first.
        leftovers: what ended processes left behind.
        stays: totals by the first reason that holds.
        at_copies: sets at copies, which go by the same rules.
    """

    going: tuple[Going, ...]
    leftovers: tuple[Leftover, ...]
    stays: tuple[Stays, ...]
    at_copies: AtCopies


class Retention:
    """Looks at one platform's store, registry and alias files, and says what may go.

    Args:
        config: of the platform.
        home: its state.
        registry: its registry.
        rules: how long things stay.
    """

    def __init__(self, config: PlatformConfig, home: Home, registry: Registry, rules: Rules) -> None:
        self.home = home
        self.registry = registry
        self.rules = rules
        self.shelves = Shelves(home.store)
        self._declared = Declared(config)
        folders = {place: _folder(place) for place in config.stages.publish.copies}
        self._places = [p for p, copy in folders.items() if copy is None or _is_another(copy, home)]
        self._copies = [copy for place in self._places if (copy := folders[place]) is not None]

    def plan(self, now: datetime) -> Plan:
        """What would go now; nothing is changed.

        Raises:
            RegistryError: the registry cannot be read, or is not the one of this store.
        """
        self.shelves.look()  # manifests are read before others are kept waiting
        with turn(self.home.store, alone=True):
            taken = [a for folder in taken_before(self.home.store) for a in self.shelves.look(folder)]
            facts = self.facts(now, taken)
            leftovers = self.leftovers(now)
        kept = staying(facts, self.rules, now)
        going = tuple(self.going(facts, kept, now))
        return Plan(going, leftovers, tuple(_stays(facts, kept)), self._at_copies(facts, kept))

    def at_copies(self, now: datetime) -> AtCopies:
        """What would go at copies now; nothing is changed."""
        if not self._places:
            return AtCopies()
        facts = self._facts_now(now)
        return self._at_copies(facts, staying(facts, self.rules, now))

    def kept(self, now: datetime) -> Mapping[str, str]:
        """Digests that must stay now, each with the reason."""
        return staying(self._facts_now(now), self.rules, now)

    @staticmethod
    def freed(plan: Plan) -> int:
        """Bytes on disk that a plan would free."""
        return freed([*(g.artifact.path for g in plan.going), *(x.path for x in plan.leftovers)])

    def facts(self, now: datetime, taken: Iterable[Present] = ()) -> Facts:
        """What is there and on record; to be asked alone (`turn`).

        Args:
            now: UTC.
            taken: artifacts that lie elsewhere at the moment.
        """
        records = records_of(self.registry, now)
        present = (*self.shelves.look(), *taken)
        return Facts(
            records=records,
            present=present,
            named=frozenset(named_by_files(self.home.live, self.rules.keep)),
            asked_for=self._asked_for,
            at_work_since=at_work_since(self.home.store),
        )

    def leftovers(self, now: datetime) -> tuple[Leftover, ...]:
        """What ended processes left behind, at copies in folders too; to be asked alone (`turn`)."""
        grace = self.rules.grace
        staged = staged_leftovers(self.home.store, grace, now)
        found = [*staged, *temporary_files(self.home, grace, now)]
        for place in self._copies:
            with turn(place.store, alone=True):
                found += staged_leftovers(place.store, grace, now)
            found += temporary_records(place.live, grace, now)
        return tuple(found)

    def going(self, facts: Facts, kept: Mapping[str, str], now: datetime) -> list[Going]:
        """Artifacts that are not among those that are kept, oldest first.

        Raises:
            RegistryError: the registry is not the one of this store, or older than what readers follow.
        """
        used = used_at(facts)
        found = [
            Going(a, _bytes(a, facts.records), now - used[a.digest], self._why_here(a, facts.records))
            for a in facts.present
            if a.digest not in kept
        ]
        if found:
            _refuse_another_registry(facts)
            refuse_older_registry(self.registry, self.home.root)
        return sorted(found, key=lambda g: (-g.age, g.artifact.kind, g.artifact.digest))

    def _asked_for(self, platform: str, kind: str, partition: str | None) -> bool:
        # What other platforms declare is not known here.
        return platform != self.registry.platform or self._declared.asks_for(kind, partition)

    def _facts_now(self, now: datetime) -> Facts:
        with turn(self.home.store, alone=True):
            return self.facts(now)

    def _at_copies(self, facts: Facts, kept: Mapping[str, str]) -> AtCopies:
        def why(digest: str, known: Known) -> str:
            return self._why(digest, known.kind, known.partition, facts.records)

        return going_at_copies(self._places, facts.records, kept, self.rules.keep, why)

    def _why_here(self, a: Present, records: Records) -> str:
        if a.digest not in records.artifacts:
            return ORPHAN
        return self._why(a.digest, a.kind, a.partition, records)

    def _why(self, digest: str, kind: str, partition: str | None, records: Records) -> str:
        if kind == RESULT:
            return "its graph does not stay"
        about = (self.registry.platform, kind, partition)
        head = next((a.digest for a in records.newest if (a.platform, a.kind, a.partition) == about), None)
        if head is None or head == digest:
            return "its domain or cell is not declared any more"
        return f"superseded by {head[:12]}"


def _folder(copy: str) -> Home | None:
    """A declared copy that is a folder of this machine; None for others, those without a driver included."""
    with suppress(StoreError), place_errors(copy):
        fs, root = filesystem(copy)
        return Home(Path(root)) if fs is None else None
    return None


def _is_another(copy: Home, home: Home) -> bool:
    """Whether a copy is there, in a store of its own: who waits for the home's twice waits for ever."""
    return copy.store.is_dir() and not (home.store.is_dir() and copy.store.samefile(home.store))


def _stays(facts: Facts, kept: Mapping[str, str]) -> list[Stays]:
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for a in facts.present:
        if a.digest in kept:
            counts[kept[a.digest]] += 1
            sizes[kept[a.digest]] += _bytes(a, facts.records)
    return [Stays(why, counts[why], sizes[why]) for why in REASONS if counts[why]]


def _bytes(a: Present, records: Records) -> int:
    known = records.artifacts.get(a.digest)
    return bytes_below(a.path) if known is None else known.bytes


def _refuse_another_registry(facts: Facts) -> None:
    """A registry that knows nothing of a store would have all of it removed."""
    if not any(a.digest in facts.records.artifacts for a in facts.present):
        raise RegistryError(
            f"the registry knows none of the {len(facts.present)} artifacts in the store: it is another one, "
            "or was lost",
            file=str(facts.present[0].path),
            fix="set HIER_REGISTRY to the registry of this store, or run: hier run (it records them again)",
        )
