"""`overlace pki`, `join` and `leave` as their users type them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.pki.requests import request

from overlace.cli.main import main


class Operator:
    """Somebody with a certificate directory."""

    def __init__(self, pki: Path) -> None:
        self.pki = pki

    def try_(self, *words: str, given: bytes = b"") -> Result:
        return CliRunner().invoke(main, words, input=given, env={"OVERLACE_PKI": str(self.pki)})

    def says(self, *words: str, given: bytes = b"") -> str:
        result = self.try_(*words, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def tells(self, *words: str, given: bytes = b"") -> Any:
        return json.loads(self.says(*words, "--json", given=given))


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    made = Operator(tmp_path / "pki")
    made.says("pki", "init", "--address", "192.0.2.1")
    return made


def test_an_existing_directory_is_not_made_anew(operator: Operator) -> None:
    result = operator.try_("pki", "init", "--json")
    assert result.exit_code == 1
    assert "exists already; nothing was changed" in json.loads(result.stderr)["error"]["message"]


def test_without_a_directory_the_cure_is_named(tmp_path: Path) -> None:
    for words in (("pki", "list"), ("pki", "revoke", "h1"), ("join", "h1", "--controller", "192.0.2.1")):
        result = Operator(tmp_path / "none").try_(*words)
        assert result.exit_code == 1
        assert "make one with: overlace pki init" in result.stderr


def test_certificates_are_signed_listed_shown_and_revoked(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "h1.csr"
    file.write_bytes(request("host:h1"))
    assert operator.says("pki", "sign", "h1", str(file)).startswith("-----BEGIN CERTIFICATE-----")
    short = operator.tells("pki", "sign", "switch:t1", "--valid-for", "90s", given=request("switch:t1"))
    assert short["subject"] == "switch:t1"

    rows = {each["subject"]: each for each in operator.tells("pki", "list")}
    assert list(rows) == ["authority:1", "controller:overlace", "host:h1", "switch:t1"]
    assert (rows["host:h1"]["validity"], rows["host:h1"]["days_left"]) == ("valid", 364)
    assert rows["switch:t1"]["days_left"] == 0

    assert [each["serial"] for each in operator.tells("pki", "show", "switch:t1")] == [short["serial"]]
    assert operator.try_("pki", "show", "h9").exit_code == 5
    operator.says("pki", "revoke", "h1")
    assert "revoked" in operator.says("pki", "list")
    assert operator.try_("pki", "revoke", "h1").exit_code == 1


def test_what_is_about_to_end_is_said_with_the_cure(operator: Operator) -> None:
    operator.says("pki", "sign", "h1", "--valid-for", "60s", given=request("host:h1"))
    result = operator.try_("pki", "list")
    assert "the certificate of host:h1 ends in 0 days; cure with: overlace pki renew h1" in result.stderr


@pytest.mark.parametrize(
    ("words", "given", "why"),
    [
        (("pki", "sign", "h1"), b"nonsense", "no certificate request in PEM"),
        (("pki", "sign", "h1"), request("host:h2"), "made out to 'host:h2', not to 'host:h1'"),
        (("pki", "sign", "no/name"), request("host:h1"), "cannot be in a certificate"),
        (("pki", "sign", "h1", "--valid-for", "soon"), b"", "is not a duration such as 90s"),
        (("join", "h1", "--controller", "192.0.2.9"), b"", "pki renew controller --address 192.0.2.9"),
        (("join", "a b", "--controller", "192.0.2.1"), b"", "cannot be in a certificate"),
        (
            ("pki", "renew", "controller", "--address", "no where"),
            b"",
            "neither an IP address nor a DNS name",
        ),
        (("pki", "rollover", "finish"), b"", "overlace pki rollover begin"),
    ],
)
def test_bad_input_is_refused_with_cause_and_cure(
    operator: Operator, words: tuple[str, ...], given: bytes, why: str
) -> None:
    before = (operator.pki / "register.json").read_bytes()
    result = operator.try_(*words, given=given)
    assert result.exit_code != 0
    assert why in " ".join(result.stderr.split())
    assert (operator.pki / "register.json").read_bytes() == before


def test_a_rollover_is_followed_step_by_step(operator: Operator) -> None:
    operator.says("pki", "sign", "h1", given=request("host:h1"))
    assert operator.tells("pki", "rollover", "begin") == {"authority": 2, "remaining": ["host:h1"]}
    assert operator.says("pki", "trust").count("BEGIN CERTIFICATE") == 2
    assert operator.tells("pki", "rollover", "status") == {"authorities": [1, 2], "remaining": ["host:h1"]}
    assert "overlace pki renew NAME" in operator.try_("pki", "rollover", "finish").stderr
    operator.says("pki", "sign", "h1", given=request("host:h1"))
    assert operator.tells("pki", "rollover", "finish") == {"retired": 1}
    assert operator.says("pki", "trust").count("BEGIN CERTIFICATE") == 1


def test_the_scripts_are_shell_and_hold_no_key(operator: Operator) -> None:
    scripts = [
        operator.says("join", "h1", "--controller", "192.0.2.1"),
        operator.says("join", "h1", "--controller", "192.0.2.1", "--offline"),
        operator.says("join", "h1", "--controller", "fd00::1", "--plaintext"),
        operator.says("join", "t1", "--controller", "192.0.2.1", "--transit", "--bridge", "br0"),
        operator.says("pki", "renew", "h1"),
        operator.says("leave", "h1"),
    ]
    for script in scripts:
        subprocess.run(["sh", "-n"], input=script, text=True, check=True, timeout=10)
        assert "PRIVATE KEY" not in script
        assert "@ENROL@" not in script
    assert "tcp:[fd00::1]:6653" in scripts[2] and "TOKEN" not in scripts[2]
    assert "TOKEN=''" in scripts[1]


def test_names_cannot_break_out_of_the_scripts(operator: Operator) -> None:
    script = operator.says("leave", "x'; touch /tmp/never; '")
    first = script.splitlines()[2]
    shown = subprocess.run(
        ["sh"], input=f'{first}\nprintf %s "$NAME"', text=True, check=True, timeout=10, capture_output=True
    )
    assert shown.stdout == "x'; touch /tmp/never; '"
