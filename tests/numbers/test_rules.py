"""N1 to N7, N9 to N11, C1, S1, A6 as tables, and the life of a number against a tiny model."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from offhook.numbers import rules
from offhook.numbers.rules import (
    NEXT,
    Configuration,
    Missing,
    NumberStatus,
    Reason,
    RefusalCode,
    Step,
)
from offhook.prices import Money
from offhook.usage import Service

BOTH = (Service.CALLS, Service.SMS)
EMPTY = Configuration()
READY = Configuration(name="Front desk", agent_id="agt_1", calls_enabled=True, sms_enabled=True)
OFF, ON = NumberStatus.DISABLED, NumberStatus.ENABLED


@pytest.mark.parametrize(
    ("configuration", "live", "missing"),
    [
        (EMPTY, False, [Missing.NAME, Missing.AGENT, Missing.SERVICE]),
        (Configuration(name="A"), False, [Missing.AGENT, Missing.SERVICE]),
        (Configuration(name="A", agent_id="x"), True, [Missing.SERVICE]),
        (Configuration(name="A", agent_id="x"), False, [Missing.LIVE_AGENT, Missing.SERVICE]),
        (replace(READY, name=""), True, [Missing.NAME]),
        (replace(READY, sms_enabled=False), True, []),
        (replace(READY, calls_enabled=False), True, []),
        (READY, True, []),
        (READY, False, [Missing.LIVE_AGENT]),
    ],
)
def test_all_that_keeps_a_number_from_being_enabled_is_named_at_once_n5(
    configuration: Configuration, live: bool, missing: list[Missing]
) -> None:
    assert rules.missing_to_enable(configuration, agent_is_live=live) == missing


def refused(
    before: Configuration,
    after: Configuration,
    status: NumberStatus = OFF,
    supports: tuple[Service, ...] = BOTH,
    *,
    live: bool = True,
) -> list[RefusalCode]:
    found = rules.refusals(before, after, status=status, supports=supports, agent_is_live=live)
    assert all(each.sentence and each.remedy and each.field for each in found)
    return [each.code for each in found]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("A", True),
        ("x" * 80, True),
        ("Zoë’s 🥐", True),
        ("", False),
        ("x" * 81, False),
        ("a\u0000b", False),
        ("a\u202eb", False),
    ],
)
def test_a_name_has_1_to_80_characters_n1(name: str, allowed: bool) -> None:
    expected = [] if allowed else [RefusalCode.NAME_INVALID]
    assert refused(READY, replace(READY, name=name)) == expected


@pytest.mark.parametrize(
    ("typed", "kept"), [("  Front  desk \n", "Front desk"), ("\u00a0", ""), ("a\tb", "a b")]
)
def test_a_name_is_trimmed_n1(typed: str, kept: str) -> None:
    assert rules.clean_name(typed) == kept


CALLS = Configuration(name="A", agent_id="x", calls_enabled=True)


@pytest.mark.parametrize(
    ("before", "after", "status", "codes"),
    [
        # N3: an agent first
        (EMPTY, Configuration(calls_enabled=True), OFF, [RefusalCode.AGENT_FIRST]),
        (EMPTY, Configuration(sms_enabled=True), OFF, [RefusalCode.AGENT_FIRST]),
        (EMPTY, Configuration(agent_id="x", sms_enabled=True), OFF, []),
        # N6: not the last service of an enabled number
        (CALLS, replace(CALLS, calls_enabled=False), ON, [RefusalCode.LAST_SERVICE]),
        (CALLS, replace(CALLS, calls_enabled=False), OFF, []),
        (CALLS, replace(CALLS, calls_enabled=False, sms_enabled=True), ON, []),
        (READY, replace(READY, calls_enabled=False), ON, []),
        # N7: the agent is changed, never removed, while a service is on
        (CALLS, replace(CALLS, agent_id=None), OFF, [RefusalCode.AGENT_NEEDED]),
        (CALLS, replace(CALLS, agent_id=None), ON, [RefusalCode.AGENT_NEEDED]),
        (CALLS, replace(CALLS, agent_id=None, calls_enabled=False), OFF, []),
        (CALLS, replace(CALLS, agent_id="y"), ON, []),
        (Configuration(agent_id="x"), EMPTY, OFF, []),
    ],
)
def test_a_change_is_refused_by_its_rule(
    before: Configuration, after: Configuration, status: NumberStatus, codes: list[RefusalCode]
) -> None:
    assert refused(before, after, status) == codes


def test_an_enabled_number_takes_only_a_live_agent_n2() -> None:
    after = replace(READY, agent_id="draft")
    assert refused(READY, after, ON, live=False) == [RefusalCode.AGENT_NOT_LIVE]
    assert refused(READY, after, OFF, live=False) == []


@pytest.mark.parametrize("service", Service)
def test_a_service_that_the_carrier_lacks_cannot_be_switched_on_n4(service: Service) -> None:
    before = Configuration(name="A", agent_id="x")
    after = replace(
        before,
        calls_enabled=service is Service.CALLS,
        sms_enabled=service is Service.SMS,
    )
    others = tuple(each for each in Service if each is not service)
    assert refused(before, after, supports=others) == [RefusalCode.NOT_AT_CARRIER]


def test_every_reason_is_named_at_once() -> None:
    after = Configuration(name="x" * 81, calls_enabled=True, sms_enabled=True)
    assert refused(EMPTY, after, supports=()) == [
        RefusalCode.NAME_INVALID,
        RefusalCode.AGENT_FIRST,
        RefusalCode.NOT_AT_CARRIER,
        RefusalCode.NOT_AT_CARRIER,
    ]


@pytest.mark.parametrize(
    ("status", "paid", "configuration", "live", "reason"),
    [
        (ON, True, READY, True, None),
        (OFF, True, READY, True, Reason.DISABLED),
        (OFF, False, READY, False, Reason.DISABLED),
        (NumberStatus.RELEASING, True, READY, True, Reason.DISABLED),
        (NumberStatus.RELEASED, True, READY, True, Reason.DISABLED),
        (ON, False, READY, True, Reason.SUSPENDED),
        (ON, True, replace(READY, sms_enabled=False), True, Reason.SERVICE_OFF),
        (ON, True, READY, False, Reason.AGENT_NOT_LIVE),
    ],
)
def test_why_a_text_is_not_answered_s1_n11_un12(
    status: NumberStatus,
    paid: bool,
    configuration: Configuration,
    live: bool,
    reason: Reason | None,
) -> None:
    found = rules.not_answering(
        configuration, Service.SMS, status=status, services_on=paid, agent_is_live=live
    )
    assert found is reason


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("+14155550100", True),
        ("+1 (415) 555-0100", True),
        ("+1\u00a0415 555\u20110100", True),
        ("4155550100", False),
        ("+14155550101", False),
        ("", False),
        ("delete", False),
    ],
)
def test_only_the_number_itself_confirms_a_deletion_n10(typed: str, right: bool) -> None:
    assert rules.confirms(typed, "+14155550100") is right


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        (datetime(2026, 5, 1, tzinfo=UTC), "UTC", "2.00"),
        (datetime(2026, 5, 31, 23, tzinfo=UTC), "UTC", "0.06"),
        (datetime(2026, 5, 14, 12, tzinfo=UTC), "UTC", "1.16"),
        (datetime(2026, 2, 15, tzinfo=UTC), "UTC", "1.00"),
        (datetime(2026, 6, 1, 6, tzinfo=UTC), "America/Los_Angeles", "0.06"),
        (datetime(2026, 5, 31, 11, 59, tzinfo=UTC), "Pacific/Auckland", "0.06"),
        (datetime(2026, 5, 31, 12, 0, tzinfo=UTC), "Pacific/Auckland", "2.00"),
    ],
)
def test_the_first_month_costs_its_days_in_the_teams_zone_a6(
    at: datetime, zone: str, expected: str
) -> None:
    assert rules.first_month(Money.of("2.00"), at, zone) == Money.of(expected)


@pytest.mark.parametrize(("status", "step"), list(product(NumberStatus, Step)))
def test_every_step_of_a_numbers_life_is_decided(status: NumberStatus, step: Step) -> None:
    expected = {
        "disabled": {"enable": "enabled", "disable": "disabled", "delete": "releasing"},
        "enabled": {"enable": "enabled", "disable": "disabled"},
        "releasing": {"delete": "releasing", "confirmed": "released"},
        "released": {"confirmed": "released"},
    }
    assert NEXT.get((status, step)) == expected[status].get(step)


configurations = st.builds(
    Configuration,
    name=st.text(max_size=82),
    agent_id=st.none() | st.sampled_from(["a", "b"]),
    calls_enabled=st.booleans(),
    sms_enabled=st.booleans(),
)


@given(configurations, configurations, st.sampled_from([OFF, ON]), st.booleans())
def test_a_change_of_nothing_is_never_refused_and_refusals_are_distinct(
    before: Configuration, after: Configuration, status: NumberStatus, live: bool
) -> None:
    if status is OFF or before.any_service:
        assert refused(before, before, status, live=live) == []
    found = rules.refusals(before, after, status=status, supports=BOTH, agent_is_live=live)
    assert len({(each.code, each.field) for each in found}) == len(found)


class LifeOfANumber(RuleBasedStateMachine):
    """Whatever is asked in whatever order, an accepted change never breaks N3, N5, N6 or N7."""

    def __init__(self) -> None:
        super().__init__()
        self.configuration = Configuration()
        self.status = OFF
        self.live: set[str] = set()

    def is_live(self, configuration: Configuration) -> bool:
        return configuration.agent_id in self.live

    @rule(agent=st.sampled_from(["a", "b"]))
    def agent_goes_live(self, agent: str) -> None:
        self.live.add(agent)

    @rule(agent=st.sampled_from(["a", "b"]))
    def agent_is_paused(self, agent: str) -> None:
        if not (self.status is ON and self.configuration.agent_id == agent):
            self.live.discard(agent)

    @rule(
        change=st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["Front desk", "", "x" * 81]),
                "agent_id": st.sampled_from([None, "a", "b"]),
                "calls_enabled": st.booleans(),
                "sms_enabled": st.booleans(),
            },
        )
    )
    def configure(self, change: dict[str, object]) -> None:
        after = Configuration(**{**_fields(self.configuration), **change})  # type: ignore[arg-type]
        if self.status in rules.CONFIGURABLE and not rules.refusals(
            self.configuration,
            after,
            status=self.status,
            supports=BOTH,
            agent_is_live=self.is_live(after),
        ):
            self.configuration = after

    @rule(step=st.sampled_from([Step.ENABLE, Step.DISABLE, Step.DELETE, Step.CONFIRMED]))
    def take(self, step: Step) -> None:
        live = self.is_live(self.configuration)
        if step is Step.ENABLE and rules.missing_to_enable(self.configuration, agent_is_live=live):
            return
        self.status = NEXT.get((self.status, step), self.status)

    @invariant()
    def an_enabled_number_is_whole(self) -> None:
        configuration = self.configuration
        if configuration.any_service:
            assert configuration.agent_id is not None
        if self.status is ON:
            assert 1 <= len(configuration.name) <= 80
            assert configuration.agent_id in self.live
            assert configuration.any_service
            offered = [each for each in Service if configuration.offers(each)]
            assert not rules.not_answering(
                configuration, offered[0], status=ON, services_on=True, agent_is_live=True
            )


def _fields(configuration: Configuration) -> dict[str, object]:
    return {name: getattr(configuration, name) for name in Configuration.__dataclass_fields__}


TestLifeOfANumber = LifeOfANumber.TestCase
