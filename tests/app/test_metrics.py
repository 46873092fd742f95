"""Given a controller, when its metrics are asked for, then they say what it has done."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from tests.app.switch_sample import IN_SYNC
from tests.cli.controller import PASSWORD, Controller, bootstrap, serving
from tools.cloud import until

from overlace.app.counts import PacketCounts
from overlace.app.metrics import ControllerCollector, Sources
from overlace.app.metrics_endpoint import metrics_route
from overlace.app.timings import Timings
from overlace.compiler.compiler import WorkCounters
from overlace.kit.clock import ManualClock
from overlace.model.site import Site
from overlace.northbound.auth.caller import Caller, Role
from overlace.northbound.auth.none import NoAuthentication
from overlace.northbound.request_identity import Finished
from overlace.pki.expiry import Expiry, Validity
from overlace.southbound.status import Phase, SouthboundStatus
from overlace.store.store import Store


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    directory = tmp_path_factory.mktemp("controller")
    bootstrap(directory / "overlace.db")
    with serving(directory, "--auth", "basic", "--log-format", "json") as controller:
        yield controller


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"overlace_{name}", labels)


async def test_given_parts_that_count_when_collected_then_the_numbers_are_theirs(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    await store.transact(lambda tx: tx.put(Site(id="a")), actor="test")
    packets = PacketCounts()
    packets.packets["dhcp"] += 4
    packets.answers["dhcp"]["offered"] += 2
    packets.answers["dhcpv6"]["leased"] += 3
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    expiry = Expiry("controller", "1", 1, ends, Validity.VALID, 1.0)
    registry = CollectorRegistry()
    switches = {"h1": IN_SYNC}
    status = SouthboundStatus(switches, 60, 4000, 7, 67, 4500)
    registry.register(
        ControllerCollector(
            Sources(store, lambda: status, WorkCounters(9, 5, 4, 11), packets, lambda: (expiry,))
        )
    )
    assert sample(registry, "switches", phase="in_sync") == 1
    assert sample(registry, "switches", phase="held") == 0
    for observed_only, phase in ((True, "observed"), (False, "held")):
        switches["h1"] = replace(IN_SYNC, phase=Phase.HELD, observed_only=observed_only)
        assert sample(registry, "switches", phase=phase) == 1
    switches["h1"] = IN_SYNC
    assert sample(registry, "switches", phase="observed") == 0
    assert sample(registry, "switch_flows", switch="h1") == 57
    assert sample(registry, "switch_flows_sent_total", switch="h1") == 60
    assert sample(registry, "switch_audit_repairs_total", switch="h1") == 3
    assert sample(registry, "switch_resync_changes_total", switch="h1") == 5
    assert sample(registry, "compile_units_built_total") == 5
    assert sample(registry, "encoder_cache_hits_total") == 7
    assert sample(registry, "bundled_flows_total") == 67
    assert sample(registry, "bundled_bytes_total") == 4500
    assert sample(registry, "plan_fragments_changed_total") == 4
    assert sample(registry, "plan_switches_changed_total") == 11
    assert (
        sample(registry, "store_rows_total") == 4
    )  # the site, its change, the revision, and where the numbers are
    assert sample(registry, "packet_ins_total", kind="dhcp") == 4
    assert sample(registry, "dhcp_total", outcome="offered") == 2
    assert sample(registry, "dhcpv6_total", outcome="leased") == 3
    assert sample(registry, "certificate_not_after_seconds", subject="controller") == ends.timestamp()
    assert sample(registry, "objects", kind="site") == 1
    assert (sample(registry, "store_commits_total"), sample(registry, "store_syncs_total")) == (1, 1)
    await store.close()


async def test_given_turns_requests_and_a_busy_loop_when_timed_then_each_is_a_histogram() -> None:
    registry, clock = CollectorRegistry(), ManualClock()
    timings = Timings(registry, clock)
    timings.call_soon(lambda: clock.advance(0.02))
    timings.request(Finished("GET", "/v2.0/ports/{id}", 200, 0.003))
    watch = asyncio.get_running_loop().create_task(timings.watch())
    await asyncio.sleep(0)
    assert sample(registry, "compile_seconds_sum") == pytest.approx(0.02)
    labels = {"method": "GET", "route": "/v2.0/ports/{id}", "status": "200"}
    assert sample(registry, "api_request_seconds_count", **labels) == 1
    clock.advance(1)
    for _ in range(100):
        await asyncio.sleep(0.05)
        if sample(registry, "event_loop_lag_seconds_count"):
            break
    assert sample(registry, "event_loop_lag_seconds_sum") == pytest.approx(0.75)
    watch.cancel()


@pytest.mark.parametrize(("client", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.1", 403)])
async def test_given_a_caller_from_afar_when_no_administrator_then_metrics_are_refused(
    client: str, status: int
) -> None:
    class Reader(NoAuthentication):
        async def authenticate(self, request: object) -> Caller:
            del request
            return Caller("reader", "project", Role.READER)

    application = Starlette(routes=[metrics_route(CollectorRegistry(), Reader("127.0.0.1"))])
    transport = httpx.ASGITransport(application, raise_app_exceptions=False, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        answer = await http.get("/metrics")
    assert (answer.status_code == 200) is (status == 200)


def test_given_a_running_controller_when_scraped_then_requests_are_there_by_route(
    controller: Controller,
) -> None:
    auth = ("admin", PASSWORD)
    made = httpx.post(f"{controller.url}/v2.0/networks", json={"network": {}}, auth=auth).json()["network"]
    httpx.get(f"{controller.url}/v2.0/networks/{made['id']}", auth=auth)
    assert httpx.get(f"{controller.url}/v2.0/networks").status_code == 401
    found = {
        (each.labels["method"], each.labels["route"], each.labels["status"])
        for family in text_string_to_metric_families(httpx.get(f"{controller.url}/metrics").text)
        if family.name == "overlace_api_request_seconds"
        for each in family.samples
    }
    assert {
        ("POST", "/v2.0/networks", "201"),
        ("GET", "/v2.0/networks/{id}", "200"),
        ("GET", "/v2.0/networks", "401"),
    } <= found


def test_given_a_request_when_logged_then_its_line_carries_the_id_of_its_answer(
    controller: Controller,
) -> None:
    answer = httpx.post(f"{controller.url}/v2.0/networks", json={"network": {}}, auth=("admin", PASSWORD))
    identity = answer.headers["x-openstack-request-id"]

    def logged() -> bool:
        lines = [line for line in controller.log.splitlines() if identity in line]
        return any('"event": "request"' in line and '"status": 201' in line for line in lines)

    until(logged, "no line tells of the request", 10)  # it is written once the answer is out
