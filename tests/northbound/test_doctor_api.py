"""Given a world with a fault, when the doctor is asked over HTTP, then it says what is known, or probes before."""

import httpx

DOCTOR = "/v2.0/overlace/doctor"


async def test_given_a_question_when_asked_then_findings_come_with_or_without_probes(
    api: httpx.AsyncClient,
) -> None:
    assert (await api.get(DOCTOR)).json() == {"findings": [{"kind": "known", "severity": "note"}]}
    assert (await api.post(DOCTOR)).json() == {"findings": [{"kind": "probed", "severity": "note"}]}
