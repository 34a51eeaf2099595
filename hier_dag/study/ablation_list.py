"""The modules that the ablation study takes out, each with its matched control where it needs one."""

from __future__ import annotations

from hier_dag.model.crowd_trust import UNREHEARSED
from hier_dag.study.ablation_cell import Ablation
from hier_dag.study.cell import Overrides

_NO_PATH_TERMS = {"paths_weight": 0.0, "path_visitors_weight": 0.0}
_NO_CROWD = {**_NO_PATH_TERMS, "crowd_visitors_weight": 0.0}
_NO_CONTENT = {"content_weight": 0.0, "taste_weight": 0.0}
_NO_PROFILES = {
    "profile_weight": 0.0,
    "own_profile_weight": 0.0,
    "zero_shot_profile": 0.0,
    "zero_shot_unknown": 0.0,
    "zero_shot_breadth": 0.0,
    "zero_shot_breadth_unknown": 0.0,
}
_FIXED = {"inertia": 1e12}  # no evidence moves a prior

# Those that change transfer alone come first: they share the default's encoder while it is in memory.
ABLATIONS: tuple[Ablation, ...] = (
    Ablation("no_interaction_graph", "encoder over the users × items graph", Overrides(head=_NO_CROWD)),
    Ablation("no_content", "trained content vectors in few-shot", Overrides(head=_NO_CONTENT)),
    Ablation("no_profiles", "untrained entity profiles", Overrides(head=_NO_PROFILES)),
    # Both path terms out; the control gives their weight to the kernel without paths, at any scale.
    Ablation(
        "no_paths",
        "decision paths of the interaction side",
        Overrides(head=_NO_PATH_TERMS),
        Overrides(head={**_NO_PATH_TERMS, "crowd_visitors_weight": 6.0}),
    ),
    Ablation("fixed_scales", "scales chosen by leave-one-out", Overrides(head=_FIXED)),
    Ablation(
        "no_breadth",
        "number of an item's entities in zero-shot",
        Overrides(head={"zero_shot_breadth": 0.0, "zero_shot_breadth_unknown": 0.0}),
    ),
    Ablation(
        "fixed_prior",
        "crowd's prior from sources that play the target",
        Overrides(head={"crowd_prior": UNREHEARSED}),
    ),
    Ablation("no_residuals", "item residuals of fine-tuning", Overrides(head={"residual_epochs": 0})),
    Ablation("no_layers", "layers of the KG encoder", Overrides(pretrain={"layers": 0})),
    # The same terms and numbers of cells, but clusters of users where intents lead to exemplars.
    Ablation(
        "shuffled_paths",
        "intents and exemplars, against clusters of users in the same terms",
        Overrides(pretrain={"interaction_paths": "shuffled"}),
        Overrides(pretrain={"interaction_paths": "user_clusters"}),
    ),
    Ablation(
        "no_intents",
        "intents between history and exemplars",
        Overrides(pretrain={"interaction_paths": "histories"}),
    ),
    Ablation(
        "no_content_paths",
        "decision paths of the content side, score scale and both losses kept",
        Overrides(pretrain={"content_paths": False}),
    ),
    Ablation(
        "no_path_sparsity",
        "L0 sparsity of the content side's paths",
        Overrides(pretrain={"path_weight": 0.0}),
    ),
    Ablation("no_bottleneck", "information-bottleneck contrast", Overrides(pretrain={"mi_weight": 0.0})),
    Ablation("no_exemplar_contrast", "exemplar contrast", Overrides(pretrain={"exemplar_weight": 0.0})),
    Ablation(
        "no_auxiliary", "rank loss on the intent-enhanced view", Overrides(pretrain={"auxiliary_weight": 0.0})
    ),
)
"""Every ablation, in the order in which it is shown."""
