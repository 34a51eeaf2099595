import pytest
import torch
import torch.nn.functional as F

from hier_dag.model.relation_encoder import RelationEncoder


def naive_layer(encoder, view, h):
    rows, cols, kinds = view.neighbours.row_of_entry(), view.neighbours.indices, view.neighbours.kinds
    out = h.clone()
    for e in range(view.n_nodes):
        mine = [n for n in range(len(rows)) if rows[n] == e]
        if not mine:
            continue
        scores = [
            F.leaky_relu(
                encoder.relations[kinds[n]] @ encoder.projection @ torch.cat([h[e], h[cols[n]]]), 0.2
            )
            for n in mine
        ]
        for n, a in zip(mine, torch.softmax(torch.stack(scores), 0), strict=True):
            out[e] = out[e] + a * h[cols[n]]
    return out


def test_attention_follows_the_formula_edge_by_edge(view):
    torch.manual_seed(0)
    encoder = RelationEncoder(view, 4, 2, "attention")
    encoder.relations.data *= 30  # far from uniform attention
    h0, h1, h2 = encoder()
    torch.testing.assert_close(h1, naive_layer(encoder, view, h0))
    torch.testing.assert_close(h2, naive_layer(encoder, view, h1))


def test_mean_adds_the_weighted_mean_of_neighbours(view):
    encoder = RelationEncoder(view, 4, 1, "mean")
    h0, h1 = encoder()
    # Entity 0 shares two items with 1 and one with 2, to which a triple also leads.
    torch.testing.assert_close(h1[0], h0[0] + (2 * h0[1] + 2 * h0[2]) / 4)


def test_an_unknown_aggregation_is_refused_at_construction(view):
    with pytest.raises(ValueError, match="aggregation must be"):
        RelationEncoder(view, 4, 2, "median")
