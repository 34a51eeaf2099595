import numpy as np

from hier_dag.model.source_view import source_view


def test_items_without_entities_get_a_node_of_their_own(view):
    assert view.n_nodes == 7
    assert view.content.indices[view.content.indptr[3] : view.content.indptr[4]].tolist() == [5]
    assert view.content.indices[view.content.indptr[5] : view.content.indptr[6]].tolist() == [6]
    assert view.content.degrees().min() == 1


def test_only_nodes_on_source_training_items_count_as_seen(view):
    assert view.seen.tolist() == [True, True, True, True, False, True, False]


def test_target_interactions_leave_no_trace(graph_with):
    one, other = source_view(graph_with()), source_view(graph_with(((0, 4), (2, 5))))
    for name in ("history", "content", "neighbours"):
        np.testing.assert_array_equal(getattr(one, name).indices, getattr(other, name).indices)
        np.testing.assert_array_equal(getattr(one, name).indptr, getattr(other, name).indptr)
    assert one.users_with_history().tolist() == [True, True, True, False]
    assert one.trained_items().tolist() == [True, True, True, True, False, False]


def test_tastes_are_the_mean_content_of_each_history_summed(view):
    dense = np.zeros((view.n_users, view.n_nodes), np.float32)
    for user, item in zip(view.history.row_of_entry(), view.history.indices, strict=True):
        nodes = view.content.indices[view.content.indptr[item] : view.content.indptr[item + 1]]
        np.add.at(dense[user], nodes, 1 / len(nodes))
    tastes = view.tastes()
    got = np.zeros_like(dense)
    got[tastes.row_of_entry(), tastes.indices] = tastes.values
    np.testing.assert_allclose(got, dense)
    assert tastes.nnz == np.count_nonzero(dense)
