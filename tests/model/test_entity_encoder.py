import torch

from hier_dag.model.entity_encoder import EntityEncoder


def naive(x, view, layers):
    h, total = x.clone(), x.clone()
    rows, cols = view.neighbours.row_of_entry(), view.neighbours.indices
    for _ in range(layers):
        mean = torch.zeros_like(h)
        for e in range(view.n_nodes):
            mine = [n for n in range(len(rows)) if rows[n] == e]
            weight = sum(float(view.neighbours.values[n]) for n in mine)
            for n in mine:
                mean[e] += float(view.neighbours.values[n]) / weight * h[cols[n]]
        h = torch.stack([0.8 * v / max(v.norm().item(), 1e-12) for v in h + mean])
        total = total + h
    return total


def test_layers_follow_equation_a(view):
    torch.manual_seed(0)
    encoder = EntityEncoder(view, 4, 2)
    x = encoder.free.detach() * torch.tensor(view.seen)[:, None]
    torch.testing.assert_close(encoder().detach(), naive(x, view, 2))


def test_an_entity_on_no_source_item_is_what_its_neighbours_give_it(view):
    encoder = EntityEncoder(view, 4, 2)
    before = encoder().detach()
    encoder.free.data[4] = 100.0
    torch.testing.assert_close(encoder().detach(), before)
    only_neighbour = 3
    encoder.free.data[only_neighbour] += 1.0
    assert not torch.allclose(encoder().detach()[4], before[4])


def test_an_item_node_without_neighbours_that_was_never_seen_is_zero(view):
    assert EntityEncoder(view, 4, 2)()[6].abs().sum() == 0


def test_triples_carry_messages(view, graph):
    torch.manual_seed(0)
    encoder = EntityEncoder(view, 4, 1)
    encoder().norm(dim=1)[0].backward()
    assert encoder.free.grad[2].abs().sum() > 0
