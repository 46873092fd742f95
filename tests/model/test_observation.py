"""Observations are values too."""

from immutables import Map

from overlace.model.observation import Observations


def test_an_interface_that_is_gone_has_no_number() -> None:
    seen = Observations().with_ofport(("h", "p"), 5).with_fabric_ports("h", Map({"eth1": 2}))
    gone = seen.with_ofport(("h", "p"), None).with_ofport(("h", "never"), None)
    assert dict(seen.ofports) == {("h", "p"): 5}
    assert (dict(gone.ofports), dict(gone.fabric_ports)) == ({}, {"h": Map({"eth1": 2})})
