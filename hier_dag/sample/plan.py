"""The plan of a sample platform: everything that is drawn before any event is."""

from __future__ import annotations

from dataclasses import dataclass

from hier_dag.sample.decisions import Decisions, build_decisions
from hier_dag.sample.entities import Entities, build_entities
from hier_dag.sample.events import EventSource
from hier_dag.sample.items import Items, build_items
from hier_dag.sample.params import SampleParams
from hier_dag.sample.services import SERVICES, Service
from hier_dag.sample.users import Users, build_users


@dataclass(frozen=True)
class Plan:
    """What all events follow from.

    Attributes:
        params: size, difficulty and seed.
        decisions: planted intents and the paths that they open.
        entities: entities, and the pool of each exemplar.
        users: users, their intents and services.
        catalogues: items by service name.
    """

    params: SampleParams
    decisions: Decisions
    entities: Entities
    users: Users
    catalogues: dict[str, Items]

    def source(self, service: Service) -> EventSource:
        """The events of one service."""
        items = self.catalogues[service.name]
        return EventSource(self.params, service, self.users, items, self.decisions)


def build_plan(params: SampleParams) -> Plan:
    """Draws the plan: memory grows with users and items, not with events."""
    decisions = build_decisions(params)
    entities = build_entities(params)
    return Plan(
        params=params,
        decisions=decisions,
        entities=entities,
        users=build_users(params, decisions),
        catalogues={service.name: build_items(params, service, entities) for service in SERVICES},
    )
