# The front door. `make demo` and `make test` set up all they need on a fresh Debian 12 (root, python3, git, make).
VENV := .venv
PY   := $(VENV)/bin/python
DEBIAN_PACKAGES := python3-venv openvswitch-switch iproute2 ethtool iputils-ping tcpdump busybox systemd gcc libc6-dev \
  qemu-system-x86 qemu-utils

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-hosts demo-upgrade demo-migration demo-evacuation demo-rescue demo-many-moves demo-kernel test deb deb-smoke bench soak fuzz conformance schema check docs format clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: build/.packages $(VENV)/.installed ## Install Debian packages and the Python environment

# Installs what is missing of $(1): one line that says so; what apt and dpkg print is kept, and shown if they fail.
define install
	@mkdir -p build
	@for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	 if [ -n "$$missing" ]; then echo "installing Debian packages:$$missing"; \
	   { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } \
	     >build/packages.log 2>&1 || { cat build/packages.log; exit 1; }; fi
endef

build/.packages: Makefile
	$(call install,$(DEBIAN_PACKAGES))
	@touch $@

$(VENV)/.installed: pyproject.toml build/.packages
	@test -x $(PY) || python3 -m venv $(VENV)
	@$(VENV)/bin/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: setup ## Two tenants, two sites, real packets; writes build/demo.json (KEEP=1 leaves it running)
	$(PY) -m tools.demo

demo-migration: setup build/.guest-image build/.libvirt-packages ## A real machine moves between two sites and back, 10 times (MOVES= for fewer); build/migration.json
	$(PY) -m tools.migration_demo

demo-evacuation: setup build/.guest-image ## A site with 8 real machines is evacuated (GUESTS= for fewer), the controller killed at each step; build/evacuation.json
	$(PY) -m tools.evacuation_demo

demo-rescue: setup build/.guest-image ## A machine starts from its replica at the other site, its old host is fenced; build/rescue.json
	$(PY) -m tools.rescue_demo

demo-many-moves: setup ## A workload moves 200 times under 1,000 packets a second (MOVES= for fewer); build/many-moves.json
	$(PY) -m tools.many_moves

demo-kernel: setup build/.guest-image ## The same with a host whose kernel has the datapath, a machine of its own; build/demo-kernel.json
	$(PY) -m tools.demo --kernel h4

demo-hosts: setup ## Overlace comes to hosts that are at work, loses its disk, and leaves; writes build/hosts.json
	$(PY) -m tools.hosts_demo

demo-upgrade: setup ## Hosts with 20,000 flows go over to another release and back (RULES= ROUNDS=), or from one of git's (FROM=)
	$(PY) -m tools.$(if $(FROM),upgrade_from,upgrade_demo)

test: setup build/.ovn-packages build/.client-packages build/.guest-image build/.libvirt-packages ## All tests: pure, against Open vSwitch, and in the lab (root)
	$(VENV)/bin/pytest -n 2 --dist loadfile

deb: setup ## A Debian package with systemd unit and sample configuration; build/overlace_*.deb
	$(PY) -m tools.debian_package build

deb-smoke: deb build/.debootstrap-package ## Install, serve, join a switch and purge in a clean Debian 12 (root)
	$(PY) -m tools.debian_smoke build/overlace_*.deb

build/.debootstrap-package: build/.packages
	$(call install,debootstrap)
	@touch $@

conformance: setup build/conformance-venv/.installed ## The networking API's public conformance tests
	$(PY) -m tools.conformance

build/conformance-venv/.installed: tools/conformance/requirements.txt build/.packages
	@test -x $(@D)/bin/python || python3 -m venv $(@D)
	@$(@D)/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

build/.ovn-packages: build/.packages
	$(call install,ovn-central ovn-host)
	@touch $@

build/.frr-packages: build/.packages
	$(call install,frr)
	@touch $@

build/.client-packages: build/.packages
	$(call install,isc-dhcp-client)
	@touch $@

build/.libvirt-packages: build/.packages
	$(call install,libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients)
	@touch $@

build/.guest-image: build/.packages $(VENV)/.installed $(wildcard $(foreach part,guests guests/services machines machines/services kernel_hosts,src/overlace/lab/$(part)/*.[cps]*))
	$(call install,qemu-system-x86 qemu-utils lz4 openssl)
	@$(VENV)/bin/overlace lab vm image
	@$(VENV)/bin/overlace lab vm image --kernel-host
	@touch $@

bench: setup build/.ovn-packages build/.frr-packages ## Every measurement, beside OVN and the bare sockets (SHORT=1 ONLY=a,b); build/bench.json
	@$(PY) -m bench.scenarios $(if $(SHORT),--short) $(if $(ONLY),--only $(ONLY)); failed=$$?; \
	 $(PY) -m bench.report $(if $(SHORT),--output build/bench.md) && exit $$failed

soak: setup ## A million random steps of the compiler against a plain model (STEPS=, SEED=, WORKERS=); build/soak.json
	$(PY) tools/soak.py --steps $(or $(STEPS),1000000) --seed $(or $(SEED),1) --workers $(or $(WORKERS),2)

fuzz: setup ## Bad input of every kind to the running product, SEEDS= times over (10) from SEED= on (at random)
	$(PY) -m tools.fuzz --seeds $(or $(SEEDS),10) $(if $(SEED),--seed $(SEED))

schema: build/conformance-venv/.installed ## Write the networking API's public attribute definitions anew
	build/conformance-venv/bin/python tools/generate_schema.py src/overlace/northbound/schema/neutron.json

check: setup ## Style, types and import contracts
	$(VENV)/bin/ruff check src tests tools bench
	$(VENV)/bin/ruff format --check src tests bench
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

docs: setup ## Write the documents that are made from the sources
	$(PY) tools/generate_pipeline_document.py
	$(PY) -m tools.openstack_client.document

format: setup ## Rewrite sources in the house style
	$(VENV)/bin/ruff format src tests
	$(VENV)/bin/ruff check --fix src tests

clean: ## Remove what the build made
	rm -rf build $(VENV)
