"""The suite's workspace: its configuration for a server."""

from pathlib import Path

from tools.conformance.server import DOMAIN, PASSWORD, USER, Server

_CONFIGURATION = """\
[DEFAULT]
log_file = tempest.log

[oslo_concurrency]
lock_path = {directory}/locks

[auth]
use_dynamic_credentials = true
admin_username = {user}
admin_password = {password}
admin_project_name = {user}
admin_domain_name = {domain}
create_isolated_networks = false
tempest_roles = member

[identity]
uri_v3 = {url}/identity/v3
auth_version = v3
region = RegionOne

[identity-feature-enabled]
api_v2 = false

[network]
public_network_id = {public}
region = RegionOne

[network-feature-enabled]
ipv6_subnet_attributes = true
port_security = true
api_extensions = {extensions}

[neutron_plugin_options]
available_type_drivers = vxlan

[service_available]
neutron = true
nova = false
glance = false
cinder = false
swift = false
horizon = false

[validation]
run_validation = false
"""


def configure(workspace: Path, server: Server) -> list[str]:
    """Write the suite's configuration for what the server says it is; gives the extensions that it claims."""
    public = server.call("POST", "/v2.0/networks", {"network": {"name": "public", "router:external": True}})
    server.call("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a"}})
    for number in (1, 2):  # hosts are what the suites know as agents
        host = {"id": f"h{number}", "site_id": "site-a", "endpoints": [{"address": f"192.0.2.{number}"}]}
        server.call("POST", "/v2.0/overlace/hosts", {"host": host})
    extensions = [each["alias"] for each in server.call("GET", "/v2.0/extensions")["extensions"]]
    text = _CONFIGURATION.format(
        directory=workspace,
        user=USER,
        password=PASSWORD,
        domain=DOMAIN,
        url=server.url,
        public=public["network"]["id"],
        extensions=",".join(extensions),
    )
    (workspace / "etc" / "tempest.conf").write_text(text)
    return extensions
