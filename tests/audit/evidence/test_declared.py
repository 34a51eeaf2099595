"""What the declaration says of data and people reaches those who read the evidence."""

from hier_dag.audit.evidence.declared import declared

TOLD = {
    "contact": "platform team",
    "domains": {
        "shop": {"title": "Shop", "sources": [{"path": "a.csv", "terms": "CC-BY-4.0"}, {"path": "b.csv"}]},
        "cafe": {"contact": "café team", "catalogue": [{"path": "c.csv", "terms": "internal use"}]},
    },
    "links": {"item_entity": [{"path": "d.csv"}, {"path": "e.csv", "terms": "ODbL-1.0"}]},
}


def test_terms_are_those_of_the_source_that_declares_them():
    assert declared(TOLD).terms == {
        ("events", "shop", 0): "CC-BY-4.0",
        ("catalogue", "cafe", 0): "internal use",
        ("item_entity", None, 1): "ODbL-1.0",
    }


def test_a_domain_is_answered_for_by_its_own_contact_else_by_the_platforms():
    told = declared(TOLD)
    assert (told.contact("cafe"), told.contact("shop")) == ("café team", "platform team")
    assert declared({"domains": {"shop": {}}}).contact("shop") is None
    assert told.titles == {"shop": "Shop"}
