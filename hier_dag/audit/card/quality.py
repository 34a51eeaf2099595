"""How good the vectors are: figures against the baselines by setting and slice; what each module earns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hier_dag.audit.card.parts import BAD, GOOD, SOFT, WORDS, Cell, Part, Picture, Table
from hier_dag.evaluate.cells import signed
from hier_dag.evaluate.comparison import Comparison, against_strongest
from hier_dag.evaluate.figures import Figure, Figures, evidence_order
from hier_dag.evaluate.scored import HIER
from hier_dag.evaluate.settings_svg import settings_svg
from hier_dag.evaluate.verdict import standing_note, standing_words
from hier_dag.evaluate.words import SLICE_WORDS, model_words, p_words, setting_words

if TYPE_CHECKING:
    from hier_dag.evaluate.ablation_section import Earned

KINDS = {"beats": GOOD, "loses": BAD, "level": SOFT}
PICTURE = "ndcg_by_setting.svg"
_NONE = Cell("–", kind=SOFT)


def quality(shown: Figures | None) -> Part:
    """Figures of all users, a row a setting; without any, why."""
    title = "How good it is"
    if shown is None:
        return Part(title, ("The domain has no test interaction, so nothing was scored.",))
    heads = (
        "setting", f"HIER NDCG@{shown.k}", f"HIER HR@{shown.k}", "strongest baseline", "paired gain",
        "among all baselines",
    )  # fmt: skip
    rows = []
    for shots in shown.shots:
        hier, found = shown.get("ndcg", shots, HIER), against_strongest(shown, shots)
        base = Cell(f"{found.base.value:.4f}", model_words(found.rival)) if found else _NONE
        rows.append(
            (
                setting_words(shots), _figure(hier), _figure(shown.get("hr", shots, HIER)), base, gain(found),
                Cell(standing_words(shown, shots), kind=WORDS),
            )
        )  # fmt: skip
    seeds = f"{shown.seeds} seed{'' if shown.seeds == 1 else 's'}"
    text = (
        f"By full ranking of the domain's catalogue, over {shown.users:,} users with a test interaction, "
        f"{seeds}. In brackets: 95 % bootstrap interval over users. The strongest baseline of a setting is "
        f"chosen after the fact, which favours it. {standing_note()}."
    )
    words = f"NDCG@{shown.k} of HIER and of the strongest baseline by setting, with 95 % intervals"
    picture = Picture(settings_svg(shown), words, PICTURE)
    return Part(title, (text,), tables=(Table(heads, tuple(rows)),), picture=picture)


def slices(shown: Figures) -> Part:
    """The same for users with and without source history, and for items that no few-shot pair knows."""
    rows = []
    for users in (name for name in SLICE_WORDS if name != "all"):
        for shots in shown.shots:
            found = against_strongest(shown, shots, users)
            if found is None:
                continue
            base = Cell(f"{found.base.value:.4f}", model_words(found.rival))
            rows.append(
                (
                    SLICE_WORDS[users], setting_words(shots), f"{found.hier.users:,}", _figure(found.hier),
                    base, gain(found),
                )
            )  # fmt: skip
    heads = ("slice", "setting", "users", f"HIER NDCG@{shown.k}", "strongest baseline", "paired gain")
    return Part("Who is served how well", tables=(Table(heads, tuple(rows)),))


def ablations(earned: Sequence[Earned] | None) -> Part:
    """What each module earns; where the study was not run, that it was not."""
    title = "What each module earns"
    if not earned:
        return Part(title, ("The ablation study was not run for this domain (hier study ablation).",))
    found = {(one.module, one.shots): one for one in earned}
    shots = sorted({one.shots for one in earned}, key=evidence_order)
    rows: list[tuple[Cell | str, ...]] = [
        (module, *(_earned(found.get((module, s))) for s in shots))
        for module in dict.fromkeys(one.module for one in earned)
    ]
    text = (
        f"NDCG@{earned[0].k} of the full model minus that of a control that keeps all but the module's own "
        "idea, from cells of the ablation study on the newest graph, with seeds of their own. Below each: "
        "95 % interval and p, corrected by Holm's method."
    )
    return Part(title, (text,), tables=(Table(("module", *map(setting_words, shots)), tuple(rows)),))


def gain(found: Comparison | None) -> Cell:
    """A paired gain with its interval, good or bad where the whole interval lies on one side of zero."""
    if found is None:
        return _NONE
    percent = "" if found.percent is None else f" ({found.percent:+.0f} %)"
    interval = signed(f"[{found.gain.low:+.4f}, {found.gain.high:+.4f}]")
    return Cell(signed(f"{found.gain.value:+.4f}{percent}"), interval, KINDS[found.side])


def _figure(figure: Figure | None) -> Cell:
    if figure is None:
        return _NONE
    return Cell(f"{figure.value:.4f}", f"[{figure.low:.4f}, {figure.high:.4f}]")


def _earned(one: Earned | None) -> Cell:
    if one is None:
        return _NONE
    kind = GOOD if one.low > 0 else BAD if one.high < 0 else SOFT
    note = signed(f"[{one.low:+.4f}, {one.high:+.4f}]") + f", p {p_words(one.p)}"
    return Cell(signed(f"{one.gain:+.4f}"), note, kind)
