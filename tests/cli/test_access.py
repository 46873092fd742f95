"""Given the field's variables and files, when access is looked for, then it is as the openstack client finds it."""

from pathlib import Path

import pytest

from overlace.cli.access import find_access
from overlace.cli.failures import WrongUsage

CLOUDS = """
clouds:
  mine:
    auth: {auth_url: "https://192.0.2.1:9696/identity/v3", username: u, password: p, project_name: blue}
    cacert: /etc/ca.pem
  open:
    auth_type: none
    auth: {endpoint: "http://127.0.0.1:9797"}
  simple:
    auth_type: http_basic
    auth: {endpoint: "http://127.0.0.1:9696", username: u, password: 12}
  strange:
    auth_type: v3kerberos
"""


@pytest.fixture
def clouds(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "clouds.yaml"
    path.write_text(CLOUDS)
    return {"OS_CLIENT_CONFIG_FILE": str(path)}


def test_given_nothing_then_it_is_this_machine_without_credentials() -> None:
    access = find_access(None, None, {})
    assert (access.url, access.auth_type) == ("http://127.0.0.1:9696", "none")


def test_given_a_cloud_with_a_password_then_the_api_is_beside_the_identity_api(
    clouds: dict[str, str],
) -> None:
    access = find_access(None, "mine", clouds)
    assert (access.url, access.auth_type) == ("https://192.0.2.1:9696", "password")
    assert (access.username, access.password, access.project_name) == ("u", "p", "blue")
    assert access.verify == "/etc/ca.pem"


def test_given_a_cloud_of_each_type_then_it_is_followed(clouds: dict[str, str]) -> None:
    access = find_access(None, None, clouds | {"OS_CLOUD": "open"})
    assert (access.url, access.auth_type) == ("http://127.0.0.1:9797", "none")
    simple = find_access("http://127.0.0.1:1/v2.0", "simple", clouds)
    assert (simple.url, simple.auth_type, simple.password) == ("http://127.0.0.1:1", "http_basic", "12")


def test_given_variables_then_they_say_the_same() -> None:
    variables = {
        "OS_AUTH_URL": "http://127.0.0.1:9797/identity",
        "OS_USERNAME": "u",
        "OS_PASSWORD": "p",
        "OS_INSECURE": "true",
    }
    access = find_access(None, None, variables)
    assert (access.url, access.auth_type, access.verify) == ("http://127.0.0.1:9797", "password", False)
    assert find_access(None, None, {"OS_TOKEN": "t"}).auth_type == "token"


@pytest.mark.parametrize(
    ("cloud", "complaint"),
    [("theirs", "it has mine, open, simple, strange"), ("strange", "is not known here")],
)
def test_given_a_cloud_that_will_not_do_then_that_is_said(
    clouds: dict[str, str], cloud: str, complaint: str
) -> None:
    with pytest.raises(WrongUsage, match=complaint):
        find_access(None, cloud, clouds)


def test_given_half_a_login_or_no_file_then_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="set OS_USERNAME and OS_PASSWORD"):
        find_access(None, None, {"OS_USERNAME": "u"})
    with pytest.raises(WrongUsage, match=r"there is no clouds.yaml"):
        find_access(None, "mine", {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "none")})
