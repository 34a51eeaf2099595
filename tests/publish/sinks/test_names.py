"""No two domains and aliases share a table, however long or alike their names are."""

from hypothesis import given
from hypothesis import strategies as st

from hier_dag.publish.sinks.names import stem

NAME = st.text("ab_", min_size=1, max_size=6) | st.text("a_", min_size=90, max_size=100)


def test_a_name_of_ordinary_length_is_kept_as_a_person_would_write_it():
    assert stem("cafe", "live", 40) == "cafe_live"
    assert stem("yelp_city", "live", 40) == "yelp_city_live"


@given(st.tuples(NAME, NAME), st.tuples(NAME, NAME))
def test_different_domains_and_aliases_never_share_a_stem(one, other):
    assert (stem(*one, 40) == stem(*other, 40)) == (one == other)


@given(NAME, NAME)
def test_a_stem_is_never_longer_than_asked(domain, alias):
    assert len(stem(domain, alias, 40)) <= 40
