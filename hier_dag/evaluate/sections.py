"""Sections of a report card: each turns the figures of one target into a picture or tables."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from hier_dag.evaluate.cells import NOTHING, Cell, Row, Table, figure_cell, gain_cell, heads
from hier_dag.evaluate.comparison import Comparison, against_strongest, against_target_alone, compare
from hier_dag.evaluate.figures import Figures
from hier_dag.evaluate.overview import gains
from hier_dag.evaluate.plots import curve
from hier_dag.evaluate.scored import HIER, OVER_ZERO_SHOT, ZERO_SHOT
from hier_dag.evaluate.slices import COLD_ITEMS
from hier_dag.evaluate.svg import inline_svg
from hier_dag.evaluate.verdict import standing_note, standing_words
from hier_dag.evaluate.words import SLICE_WORDS, made_words, model_words, p_words, setting_words


@dataclass(frozen=True)
class Section:
    """A titled part of a card."""

    title: str
    lead: str = ""
    picture: Markup | None = None
    tables: tuple[Table, ...] = ()
    narrow: bool = False


def quality(shown: Figures) -> Section:
    """Curve of quality against shots."""
    words = f"NDCG@{shown.k} of HIER and the leading baselines in {shown.domain}, by setting"
    return Section(
        "Quality against shots",
        "Bars are 95 % bootstrap intervals over users. Lines join settings of one kind. Of many baselines, "
        "the strongest of each setting, popularity and random are drawn; all are in the tables below.",
        Markup(inline_svg(curve(shown), f"curve_{shown.domain}", words)),
        narrow=True,
    )


def strongest(shown: Figures) -> Section:
    """HIER against the strongest baseline of each setting, and its standing among all of them."""
    rows = []
    for shots in shown.shots:
        found = against_strongest(shown, shots)
        if found is None:
            continue
        rows.append(
            Row(
                made_words(shown, shots),
                (
                    figure_cell(found.hier),
                    figure_cell(shown.get("hr", shots, HIER)),
                    Cell(f"{found.base.value:.4f}", model_words(found.rival)),
                    gain_cell(found),
                    Cell(standing_words(shown, shots), kind="words"),
                ),
            )
        )
    columns = heads(
        "setting", f"HIER NDCG@{shown.k}", f"HIER HR@{shown.k}", "strongest baseline", "paired gain",
        "among all baselines", words=("among all baselines",),
    )  # fmt: skip
    picture = gains(shown)
    words = f"HIER's paired NDCG@{shown.k} gain over every baseline in {shown.domain}, by setting"
    return Section(
        "Against the baselines",
        f"The strongest baseline is chosen after the fact, which favours it. {standing_note()}. "
        "In the picture: HIER's gain over every baseline; circle: HIER is better, cross: the baseline is, "
        "square: the interval holds zero.",
        Markup(inline_svg(picture, f"gains_{shown.domain}", words)) if picture else None,
        (Table(columns, tuple(rows)),),
    )


def worth(shown: Figures) -> Section | None:
    """What transfer adds or costs, setting by setting; None without a few-shot setting."""
    rows = []
    for shots in (s for s in shown.shots if s != ZERO_SHOT):
        alone, zero = against_target_alone(shown, shots), compare(shown, shots, OVER_ZERO_SHOT)
        if alone is None and zero is None:
            continue
        rival = Cell(f"{alone.base.value:.4f}", model_words(alone.rival)) if alone else NOTHING
        rows.append(
            Row(
                made_words(shown, shots),
                (figure_cell(shown.get("ndcg", shots, HIER)), rival, *_tested(alone), *_tested(zero)),
            )
        )
    if not rows:
        return None
    columns = heads(
        "setting", f"HIER NDCG@{shown.k}", "best on the target's data alone", "transfer adds", "p",
        "over HIER zero-shot", "p",
    )  # fmt: skip
    return Section(
        "What transfer adds or costs",
        "Against the strongest baseline that sees the target's few-shot interactions and nothing of the "
        "sources; and what those interactions bring over HIER's own zero-shot vectors. p: sign-flip test, "
        "not corrected.",
        tables=(Table(columns, tuple(rows)),),
    )


def every_model(shown: Figures) -> Section:
    """Every model in every setting, by NDCG, HR and the other user metrics."""
    names = {"ndcg": "NDCG", "hr": "HR", "recall": "Recall", "mrr": "MRR"}
    tables = [
        _models(shown, metric, 0 if metric == "mrr" else shown.k, label, folded=metric != "ndcg")
        for metric, label in names.items()
    ]
    return Section(
        "Every model",
        "The highest figure of each setting is tinted; small print: 95 % interval.",
        tables=tuple(t for t in tables if t.rows),
    )


def slices(shown: Figures) -> Section | None:
    """Users with and without source history, and items without few-shot interaction."""
    tables = []
    for users in ("with_history", "cold", COLD_ITEMS):
        rows = []
        for shots in shown.shots:
            if found := against_strongest(shown, shots, users):
                rival = Cell(f"{found.base.value:.4f}", model_words(found.rival))
                cells = (figure_cell(found.hier), rival, gain_cell(found), Cell(f"{found.hier.users:,}"))
                rows.append(Row(setting_words(shots), cells))
        columns = heads("setting", f"HIER NDCG@{shown.k}", "strongest baseline", "paired gain", "users")
        tables.append(Table(columns, tuple(rows), SLICE_WORDS[users].capitalize()))
    kept = tuple(t for t in tables if t.rows)
    lead = (
        "Where a slice has few users, intervals are wide. Items without a few-shot interaction are ranked "
        "among the whole catalogue; users without such a test item are left out."
    )
    return Section("Slices", lead, tables=kept) if kept else None


def beyond_accuracy(shown: Figures) -> Section | None:
    """Coverage, Gini and novelty of every model's lists."""
    metrics = ("coverage", "gini", "novelty")
    tables: list[Table] = []
    for shots in reversed(shown.shots):
        rows = []
        for model in _by_height(shown, "ndcg", shown.k, shots):
            found = [shown.get(metric, shots, model) for metric in metrics]
            cells = [Cell(f"{f.value:.2f}" if f else "–") for f in found]
            if any(found) and (ndcg := shown.get("ndcg", shots, model)):
                row = (Cell(f"{ndcg.value:.4f}"), *cells)
                rows.append(Row(model_words(model), row, model == HIER))
        names = [f"{metric.capitalize()}@{shown.k}" for metric in metrics]
        columns = heads("model", f"NDCG@{shown.k}", *names)
        tables.append(Table(columns, tuple(rows), setting_words(shots), folded=len(tables) > 0))
    kept = tuple(t for t in tables if t.rows)
    lead = (
        "Coverage: share of the catalogue in anybody's list. Gini: concentration of what is shown, 0 "
        "for all items alike. Novelty: bits of self-information of what is shown, by few-shot counts "
        "(zero-shot: source counts)."
    )
    return Section("Beyond accuracy", lead, tables=kept) if kept else None


def _models(shown: Figures, metric: str, k: int, label: str, folded: bool) -> Table:
    models = _by_height(shown, metric, k, shown.shots[-1])
    best = {
        shots: max((f.value for m in models if (f := shown.get(metric, shots, m, k=k))), default=0.0)
        for shots in shown.shots
    }
    rows = []
    for model in models:
        found = [(shots, shown.get(metric, shots, model, k=k)) for shots in shown.shots]
        cells = tuple(figure_cell(f, f is not None and f.value == best[s] > 0) for s, f in found)
        rows.append(Row(model_words(model), cells, model == HIER))
    title = label + (f"@{k}" if k else "")
    return Table(heads("model", *map(setting_words, shown.shots)), tuple(rows), title, folded)


def _by_height(shown: Figures, metric: str, k: int, shots: str) -> list[str]:
    """HIER, then the baselines by their figure in a setting, or else by that in zero-shot."""

    def height(model: str) -> tuple[bool, float]:
        figure = shown.get(metric, shots, model, k=k) or shown.get(metric, ZERO_SHOT, model, k=k)
        return model != HIER, -(figure.value if figure else 0.0)

    models = [m for m in (HIER, *shown.baselines) if any(shown.get(metric, s, m, k=k) for s in shown.shots)]
    return sorted(models, key=height)


def _tested(found: Comparison | None) -> tuple[Cell, Cell]:
    if found is None:
        return NOTHING, NOTHING
    return gain_cell(found), NOTHING if found.p is None else Cell(p_words(found.p))
