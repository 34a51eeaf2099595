"""Verifies a platform: bytes, registry, version records, erasures, what is live; no problem hides others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hier_dag.audit.verify_erasures import check_erasures
from hier_dag.audit.verify_files import manifests, read_all
from hier_dag.audit.verify_leakage import check_leakage
from hier_dag.audit.verify_records import (
    check_log,
    check_manifests,
    check_presence,
    check_versions,
    unusable,
)
from hier_dag.audit.verify_verdict import Verdict, unread
from hier_dag.errors import HierError, RegistryError
from hier_dag.registry import Registry
from hier_dag.registry.anchors import Anchor
from hier_dag.store import Artifact
from hier_dag.store.failures import StorageError, unreadable

FAST = "bytes of files and proofs of leakage were left out (--fast)"


def verify(
    home: Path,
    store: Path,
    registry: Registry | HierError,
    *,
    copies: Sequence[str] = (),
    anchors: Sequence[Anchor] = (),
    keys: Mapping[str, Any] | None = None,
    fast: bool = False,
) -> Verdict:
    """Compares everything that is stored and on record with what vouches for it; changes nothing.

    Args:
        home: folder of the platform's state, where its version records lie.
        store: root of its store.
        registry: of the platform; or why it cannot be opened, which is told as a problem then.
        copies: places that must hold what is in force.
        anchors: events that must be on the chain, beyond those of the version records.
        keys: public keys by id (`hier_dag.registry.signing.public_key`), of which each event must be signed
            by one; None looks at no signature.
        fast: leaves out the bytes of files, and the proofs of leakage, which read them.
    """
    found = Verdict(home.name)
    whole: list[Artifact] = []
    damaged: set[str] = set()
    _asked(found, store, lambda: whole.extend(manifests(store, found)))
    if not fast:
        _asked(found, store, lambda: damaged.update(read_all(whole, found)))
    if isinstance(registry, HierError):
        found.problems.append(unusable(registry))
        return found
    noted: list[Anchor] = []
    _asked(found, home, lambda: noted.extend(check_versions(registry, home, copies, found)))
    _asked(found, store, lambda: check_log(registry, [*anchors, *noted], keys, found))
    _asked(found, store, lambda: check_manifests(registry, found))
    _asked(found, store, lambda: check_presence(store, registry, copies, found))
    _asked(found, home, lambda: check_erasures(registry, home, found))
    if fast:
        found.not_asked.append(FAST)
    else:
        _asked(found, store, lambda: check_leakage(store, registry.all_aliases(), damaged, found))
    return found


def _asked(found: Verdict, place: Path, part: Callable[[], None]) -> None:
    """One part; what keeps it from being asked at all is a problem too, and the other parts go on."""
    try:
        part()
    except OSError as error:
        problem = unread(unreadable(error, place))
    except StorageError as error:
        problem = unread(error)
    except HierError as error:
        problem = unusable(error)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # Somebody changed the log: rows or entries that no code of ours wrote.
        problem = unusable(RegistryError(f"an event or a row cannot be read: {error!r}"))
    else:
        return
    found.add(problem)
