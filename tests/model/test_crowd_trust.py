import numpy as np
import pytest

from hier_dag.model.crowd_trust import CrowdTrust

SCALES = np.array([0.0, 0.35, 1.4], np.float32)


def trust(*sources, densities=(0.05, 0.8)):
    return CrowdTrust(np.array(densities, np.float32), SCALES, np.array(sources, np.float32))


FLAT, LEFT, RIGHT = [0.2, 0.2, 0.2], [0.4, 0.2, 0.1], [0.1, 0.2, 0.4]
MISSING = [np.nan] * 3


def test_few_pairs_and_many_have_priors_of_their_own():
    told = trust([LEFT, RIGHT])
    assert told.prior(0.01) == told.prior(0.05) == 0.0
    assert told.prior(0.8) == told.prior(0.99) == pytest.approx(1.4)


def test_sources_weigh_alike_however_easy_their_catalogues_are():
    easy, hard = [[1.0, 0.9, 0.8]] * 2, [[0.001, 0.002, 0.004]] * 2
    assert trust(easy, hard).prior(0.2) == pytest.approx(1.4)


def test_a_density_that_a_source_is_too_small_for_is_judged_by_the_others():
    assert trust([LEFT, MISSING], [LEFT, RIGHT]).prior(0.8) == pytest.approx(1.4)
    assert trust([LEFT, MISSING], [LEFT, MISSING]).prior(0.8) == 0.0


@pytest.mark.parametrize("nothing", [[MISSING, MISSING], [[0.0] * 3] * 2, [FLAT, FLAT]])
def test_where_nothing_tells_scales_apart_the_middle_stays(nothing):
    assert trust(nothing).prior(0.2) == pytest.approx(0.35)


def test_a_hair_s_breadth_moves_no_prior():
    assert trust([[0.2001, 0.2, 0.2]] * 2).prior(0.2) == pytest.approx(0.35)


def test_one_noisy_density_is_outvoted_by_its_neighbours():
    around = [RIGHT] * 5
    around[2] = [0.21, 0.2, 0.2]
    assert trust(around, densities=(0.05, 0.1, 0.2, 0.4, 0.8)).prior(0.2) == pytest.approx(1.4)


def test_with_a_pair_an_item_the_target_knows_better_than_the_sources():
    told = trust([LEFT, LEFT])
    assert (told.prior(0.9), told.prior(1.0), told.prior(7.0)) == (0.0, 0.35, 0.35)
