"""What a verification of the log comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

from hier_dag.registry.chain import Head

_SHOWN = 160


@dataclass(frozen=True)
class Problem:
    """Something that is not as the log says.

    Attributes:
        what: in a word: `link`, `entry`, `column`, `missing row`, `added row`, `changed row`, `detail`,
            `signature`, `anchor`, `table`.
        seq: number of the event it is about; 0 where it is about none.
        table: the table where it was found.
        told: in words: what was expected, what was found.
    """

    what: str
    seq: int
    table: str
    told: str


@dataclass
class LogVerdict:
    """What came out.

    Attributes:
        events: how many there are.
        head: where the chain ends.
        signed: how many events carry a signature that holds.
        signed_up_to: the last of them: it vouches for all before it.
        problems: everything that is wrong, in the order of events.
        remarks: what is odd and no sign of forgery, in words.
    """

    events: int = 0
    head: Head = field(default_factory=Head)
    signed: int = 0
    signed_up_to: int = 0
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def tell(self, what: str, seq: int, table: str, told: str) -> None:
        """Notes a problem."""
        self.problems.append(Problem(what, seq, table, told))


def short(value: object) -> str:
    """A value as text, cut where it is long."""
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
