"""The artifact store on a local folder.

Layout: `artifacts/<kind>/<digest>/…` and `staging/<kind>-<random>/`. An artifact is staged, fsynced and
renamed into place; the rename is its commit, since the folder's name is the digest of what is inside.
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from hier_dag.digest import digest_file
from hier_dag.durable import make_folders, sync_folder, sync_tree
from hier_dag.errors import StoreError
from hier_dag.store.artifact import MANIFEST, Artifact, FileEntry, Manifest
from hier_dag.store.failures import told
from hier_dag.store.names import checked_digest, checked_kind, linked
from hier_dag.store.staging import renew, staged_folder

_REBUILT = "run the pipeline again: the artifact is rebuilt from its recorded inputs"
_NO_LINK = "look where it leads and who made it; put a folder in its place, then run again"
_STAGE_AGAIN = "run again, and let nothing else write into the store's folders"


class ArtifactStore:
    """Immutable artifacts below one folder.

    Args:
        root: the folder; made when it is not there.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._verified: set[str] = set()
        for folder in ("artifacts", "staging"):
            make_folders(self.root / folder)

    def path_of(self, kind: str, digest: str) -> Path:
        """Where an artifact of this kind and digest lives.

        Raises:
            StoreError: when either is no such name, so that the path could lead out of the store.
        """
        return self.root / "artifacts" / checked_kind(kind) / checked_digest(digest)

    def has(self, kind: str, digest: str) -> bool:
        """Whether an artifact is there; not whether it is whole.

        Raises:
            StoreError: as `path_of` does.
        """
        return self.path_of(kind, digest).exists()

    @contextmanager
    def stage(self, kind: str) -> Iterator[Path]:
        """A fresh folder to write an artifact into; what is not committed is removed on leaving."""
        with staged_folder(self.root, checked_kind(kind).replace("/", "-")) as staged:
            yield staged

    def commit(
        self,
        staged: Path,
        manifest: Manifest,
        known: Sequence[FileEntry] = (),
        *,
        before: Callable[[str], None] = lambda _: None,
    ) -> Artifact:
        """Makes a staged folder an artifact.

        Args:
            staged: folder from `stage`, complete but for its manifest.
            manifest: everything but `files`, which is read off the folder here.
            known: files whose writer hashed them in this process while it wrote them; they are not read.
            before: called with the digest once everything is on the disk, before it is renamed into place.

        Returns:
            The artifact; the one that is already there where the digest is known.

        Raises:
            StoreError: when something staged is a link, a device, a pipe or has a name that leads elsewhere;
                when a known file is gone or of another size; when the disk refuses.
        """
        manifest = manifest.model_copy(update={"files": _entries(staged, known)})
        with told(staged / MANIFEST):
            (staged / MANIFEST).write_bytes(manifest.to_bytes())
            sync_tree(staged)
            before(manifest.digest)
            self._put_in_place(staged, manifest)
        # A writer's digest is safe to take: bytes that the disk holds otherwise are refused by whoever reads
        # them, in this process too, for the artifact is not noted as verified here.
        return self.open(manifest.kind, manifest.digest, verify=not known)

    def _put_in_place(self, staged: Path, manifest: Manifest) -> None:
        final = self.path_of(manifest.kind, manifest.digest)
        self._refuse_link(manifest.kind)
        make_folders(final.parent)
        self._set_aside_if_damaged(manifest.kind, manifest.digest)
        if final.exists():
            return
        try:
            os.rename(staged, final)
        except OSError:
            # A concurrent run committed the same digest first: same name, same bytes.
            if not final.exists():
                raise
        sync_folder(final.parent)

    def _set_aside_if_damaged(self, kind: str, digest: str) -> None:
        """Moves a folder that no longer matches its digest out of the way of the whole one."""
        final = self.path_of(kind, digest)
        if not final.exists():
            return
        self._verified.discard(digest)
        try:
            self.open(kind, digest)
        except StoreError:
            damaged = self.root / "staging" / f"damaged-{uuid.uuid4().hex}"
            with suppress(FileNotFoundError):  # a clean-up took it away since
                os.rename(final, damaged)
            if damaged.is_symlink():
                damaged.unlink()
            shutil.rmtree(damaged, ignore_errors=True)

    def open(self, kind: str, digest: str, *, verify: bool = True) -> Artifact:
        """Opens an artifact, checking every file against its digest once a process.

        That it is used is noted (`renew`), so that it stays for whoever records or reads it next.

        Raises:
            StoreError: when it is missing, of another kind, or any byte differs; when it, or a folder on the
                way to it, is a link.
        """
        path = self.path_of(kind, digest)
        self._refuse_link(kind)
        renew(self.root, path)
        artifact = open_folder(path, digest, verified=self._verified if verify else None)
        if artifact.manifest.kind != kind:
            raise StoreError(
                f"artifact {digest[:12]} is of kind {artifact.manifest.kind}, not {kind}",
                file=str(path),
                fix=f"move it to {self.path_of(artifact.manifest.kind, digest)}",
            )
        return artifact

    def _refuse_link(self, kind: str) -> None:
        """A kind's folder that leads out of the store; the store's own folder may lie on another disk."""
        if (link := linked(self.root / "artifacts", kind)) is not None:
            raise StoreError("the folder is a link out of the store", file=str(link), fix=_NO_LINK)

    def at_hand(self, kind: str, digest: str) -> Artifact:
        """Opens an artifact whose files are all there and of their sizes; none of them is read.

        For what must be quick, and whose readers check every byte before they use it.

        Raises:
            StoreError: when it is missing, or a file of it, or one has another size or is a link.
        """
        artifact = self.open(kind, digest, verify=False)
        for entry in artifact.manifest.files:
            _there(artifact.path, entry)
        return artifact


def open_folder(path: Path, digest: str, *, verified: set[str] | None = None) -> Artifact:
    """Opens an artifact's folder by its expected digest.

    Args:
        path: the folder.
        digest: the digest that its manifest must have.
        verified: digests whose files were checked in this process already; None skips the check of
            files (never of the manifest).

    Raises:
        StoreError: when something is missing or differs.
    """
    fix = _REBUILT
    if (link := linked(path, MANIFEST)) is not None:
        raise StoreError(f"artifact {digest[:12]} is a link out of the store", file=str(link), fix=fix)
    try:
        raw = (path / MANIFEST).read_bytes()
        manifest = Manifest.model_validate_json(raw)
    except FileNotFoundError:
        raise StoreError(f"artifact {digest[:12]} is not in the store", file=str(path), fix=fix) from None
    except ValidationError as e:
        raise StoreError(
            f"manifest of {digest[:12]} is damaged: {e.errors()[0]['msg']}",
            file=str(path / MANIFEST),
            fix=fix,
        ) from None
    if manifest.digest != digest or manifest.to_bytes() != raw:
        raise StoreError(f"manifest of {digest[:12]} does not match its digest", file=str(path), fix=fix)
    if verified is not None and digest not in verified:
        for entry in manifest.files:
            _verify(path, entry)
        verified.add(digest)
    return Artifact(digest=digest, path=path, manifest=manifest)


def _entries(staged: Path, known: Sequence[FileEntry]) -> list[FileEntry]:
    """Every file below a staged folder, in name order; those that are known are taken as they are."""
    unread = {entry.path: entry for entry in known}
    entries = []
    for path in sorted(staged.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise StoreError(
                "a staged file is a link or not a plain file, so that its bytes are not the artifact's own",
                file=str(path),
                fix="write the bytes themselves into the staged folder",
            )
        name = path.relative_to(staged).as_posix()
        if (entry := unread.pop(name, None)) is not None and path.stat().st_size == entry.bytes:
            entries.append(entry)
        elif entry is not None:
            raise StoreError("a staged file changed after it was written", file=str(path), fix=_STAGE_AGAIN)
        elif stat.S_ISREG(mode):
            try:
                entries.append(FileEntry(path=name, sha256=digest_file(path), bytes=path.stat().st_size))
            except ValidationError:
                raise StoreError(
                    f"a staged file is called {name!r}, which no manifest may name", file=str(path)
                ) from None
    for name in unread:
        raise StoreError("a staged file is gone", file=str(staged / name), fix=_STAGE_AGAIN)
    return entries


def _verify(folder: Path, entry: FileEntry) -> None:
    path = _there(folder, entry)
    if digest_file(path) != entry.sha256:
        raise StoreError("the file does not match its digest", file=str(path), fix=_REBUILT)


def _there(folder: Path, entry: FileEntry) -> Path:
    """An artifact's file, by its size."""
    path = folder / entry.path
    if linked(folder, entry.path) is not None or not path.is_file():
        raise StoreError("the file is missing or not a plain file", file=str(path), fix=_REBUILT)
    if path.stat().st_size != entry.bytes:
        raise StoreError("the file does not match its digest", file=str(path), fix=_REBUILT)
    return path
