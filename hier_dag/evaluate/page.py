"""Report cards as HTML pages that work offline: styles and pictures inline, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hier_dag.evaluate.ablation_section import Earned, ablations
from hier_dag.evaluate.cells import NOTHING, Cell, Row, Table, heads, signed
from hier_dag.evaluate.comparison import against_strongest
from hier_dag.evaluate.figures import Figures, figures
from hier_dag.evaluate.overview import small_multiples
from hier_dag.evaluate.sections import (
    Section,
    beyond_accuracy,
    every_model,
    quality,
    slices,
    strongest,
    worth,
)
from hier_dag.evaluate.svg import inline_svg
from hier_dag.evaluate.verdict import verdict, worth_words
from hier_dag.evaluate.words import model_words, setting_words

EarnedByTarget = Mapping[str, Sequence[Earned]]
"""What each module earns, by target."""

_GLOSSARY = (
    (
        "Setting",
        "How much of the target is known: nothing (zero-shot: item-entity links alone), a share of its "
        "interactions, or so many per user. The test interactions are the same in every setting.",
    ),
    (
        "NDCG, HR, Recall, MRR",
        "By full ranking of the target's catalogue, the user's training items left out, ties broken at "
        "random. NDCG@K: discounted gain over that of an ideal list. HR@K: share of users with a test item "
        "in the top K. Recall@K: share of a user's test items in the top K. MRR: reciprocal rank of the "
        "first one.",
    ),
    (
        "Interval",
        "95 % percentile bootstrap over users, each user's figure averaged over seeds. It speaks of other "
        "users, not of other splits or pre-trainings.",
    ),
    (
        "Paired gain",
        "Mean over users of HIER's figure less the other model's on the same user. Its interval is narrower "
        "than two separate intervals suggest.",
    ),
    ("Green, orange, grey", "The whole interval of the gain lies above zero, below zero, or holds zero."),
)


@dataclass(frozen=True)
class _Card:
    domain: str
    baselines: int
    verdict: str
    worth: str | None
    chips: tuple[str, ...]
    sections: tuple[Section, ...]


def card_html(records: pa.Table, domain: str, earned: EarnedByTarget | None = None) -> str:
    """The report card of one target, as one HTML document.

    Args:
        records: `RECORD_SCHEMA`, of any number of domains.
        domain: the target.
        earned: what each module earns, by target; a target that is not in it is told how to measure it. None
            leaves the section out, as where a card is made before any ablation can be.

    Raises:
        UsageError: the table holds no record of the domain.
    """
    card = _card(figures(records, domain), earned)
    return _render(title=f"{domain}: HIER report card", cards=[card], overview=None, summary=None)


def report_html(records: pa.Table, title: str, earned: EarnedByTarget | None = None) -> str:
    """All report cards in one HTML document, below an overview of every target.

    Args:
        records: `RECORD_SCHEMA`, of at least one domain; cards come in its order.
        title: heading of the page.
        earned: as `card_html` has it.
    """
    shown = [figures(records, domain) for domain in records["domain"].unique().to_pylist()]
    cards = [_card(one, earned) for one in shown]
    return _render(title=title, cards=cards, overview=_overview(shown), summary=_summary(shown))


def _card(shown: Figures, earned: EarnedByTarget | None) -> _Card:
    sections = (
        quality(shown), strongest(shown), worth(shown), every_model(shown), slices(shown),
        beyond_accuracy(shown),
        None if earned is None else ablations(earned.get(shown.domain, ()), shown.domain),
    )  # fmt: skip
    seeds = f"{shown.seeds} seed{'' if shown.seeds == 1 else 's'}"
    return _Card(
        domain=shown.domain,
        baselines=len(shown.baselines),
        verdict=_unbroken(verdict(shown)),
        worth=_unbroken(words) if (words := worth_words(shown)) else None,
        chips=(f"{shown.users:,} test users", seeds, f"NDCG@{shown.k}, full ranking"),
        sections=tuple(s for s in sections if s is not None),
    )


def _unbroken(words: str) -> str:
    """Words whose percentages and intervals do not break over lines."""
    return signed(words).replace(" %", "\u00a0%").replace(", +", ",\u00a0+").replace(", −", ",\u00a0−")


def _overview(targets: Sequence[Figures]) -> Markup:
    words = "NDCG of HIER and of the strongest baseline, a panel a target"
    return Markup(inline_svg(small_multiples(targets), "overview", words))


def _summary(targets: Sequence[Figures]) -> Table:
    settings = list(dict.fromkeys(shots for one in targets for shots in one.shots))
    rows = []
    for one in targets:
        cells = []
        for shots in settings:
            found = against_strongest(one, shots)
            if found is None or found.percent is None:
                cells.append(NOTHING)
                continue
            words = signed(f"{found.percent:+.0f} %")
            cells.append(Cell(words, model_words(found.rival), found.side))
        rows.append(Row(one.domain, tuple(cells), link=f"#{one.domain}"))
    return Table(heads("gain over the strongest baseline", *map(setting_words, settings)), tuple(rows))


def _render(**context: object) -> str:
    environment = Environment(
        loader=PackageLoader("hier_dag.evaluate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(glossary=_GLOSSARY, **context)
