"""One exception hierarchy: every error carries a reason code, what was affected, and the fix."""

from __future__ import annotations

from typing import Any


class HierError(Exception):
    """Base of every error that hier_dag raises on purpose.

    Picklable across processes: state is the keyword arguments alone.

    Args:
        message: what is wrong, in words.
        domain: the domain affected, if one is.
        file: the file or table affected, if one is.
        column: the column affected, if one is.
        fix: what the reader should do next.
        detail: further facts (counts, row samples), JSON-serialisable.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        domain: str | None = None,
        file: str | None = None,
        column: str | None = None,
        fix: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        self.message = message
        self.domain = domain
        self.file = file
        self.column = column
        self.fix = fix
        self.detail = detail or {}
        super().__init__(str(self))

    def __str__(self) -> str:
        where = [f"{k} {v}" for k in ("domain", "file", "column") if (v := getattr(self, k))]
        head = f"[{self.code}] {', '.join(where)}: " if where else f"[{self.code}] "
        return head + self.message + (f" Fix: {self.fix}" if self.fix else "")

    def __reduce__(self) -> tuple[Any, ...]:
        keys = ("message", "domain", "file", "column", "fix", "detail")
        return _rebuild, (type(self), {k: getattr(self, k) for k in keys})

    def as_dict(self) -> dict[str, Any]:
        """The error as a JSON-serialisable record (code, message, domain, file, column, fix, detail)."""
        keys = ("code", "message", "domain", "file", "column", "fix", "detail")
        return {k: getattr(self, k) for k in keys}


def error_of(record: dict[str, Any]) -> HierError:
    """The error that a record of `as_dict` describes, of the class with its code that is loaded here."""
    state = dict(record)
    code = state.pop("code")
    known = [HierError]
    for cls in known:
        known += cls.__subclasses__()
    error = _rebuild(next((cls for cls in known if cls.code == code), HierError), state)
    error.code = code
    return error


def _rebuild(cls: type[HierError], state: dict[str, Any]) -> HierError:
    message = state.pop("message")
    return cls(message, **state)


class ConfigError(HierError):
    """domains.yaml or the environment says something that cannot be carried out (exit code 2)."""

    code = "config"


class UsageError(HierError):
    """A command was asked for something that does not exist, such as an unknown user (exit code 2)."""

    code = "usage"


class ContractError(HierError):
    """Data broke a hard contract; nothing was committed (exit code 1)."""

    code = "contract"


class SourceError(ContractError):
    """A raw source is missing, unreadable, empty, or lacks a declared column."""

    code = "source"


class StoreError(HierError):
    """An artifact is missing, torn or does not match its digest."""

    code = "store"


class SpaceError(StoreError):
    """Vectors of another dimension or space than asked for: inner products with them mean nothing."""

    code = "space"


class RegistryError(HierError):
    """The registry could not be read or written."""

    code = "registry"


class SinkError(HierError):
    """A published set could not be made queryable in a vector database; what was there before is whole."""

    code = "sink"


class MovedOn(RegistryError):
    """An alias was moved by another publisher since it was looked at."""

    code = "moved_on"


class TrainingError(HierError):
    """Training produced something that must not be published."""

    code = "training"


class NotFinite(TrainingError):
    """A loss or a gradient that is not finite; the weights are as they were before the step."""

    code = "not_finite"


class Interrupted(TrainingError):
    """Training was asked to stop, and did after saving a checkpoint."""

    code = "interrupted"


class Busy(TrainingError):
    """Another process is at the same training: once it is done, its result is found."""

    code = "busy"


class RankLost(TrainingError):
    """One of the processes that trained together ended; the others were ended too."""

    code = "rank_lost"


class Crashed(HierError):
    """A worker met something that nobody foresaw; the message is the exception's own."""

    code = "crashed"
