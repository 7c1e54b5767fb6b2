# Two doors: `make run` and `make test`, from a bare Debian, as root or with sudo.

VENV := .venv
READY := $(VENV)/.ready
TOOLS := $(VENV)/.tools
CONFIG := examples/quickstart.ini
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
NEEDED := python3 python3-dev python3-venv gcc libc6-dev libcap-dev
# redis-tools has Redis itself, too, under another name, and starts none
NEEDED_BY_TESTS := bash-completion chromium chromium-driver curl faketime fonts-dejavu-core git \
	iproute2 jq lintian logrotate man-db mmdebstrap nginx openssh-client openssh-server openssl \
	redis-tools systemd systemd-container tmux zsh
NEEDED_BY_TEST_VM := e2fsprogs qemu-system-x86

.PHONY: run test test-vm coverage tools bench bench-console bench-journal bench-streams soak deb docs clean

run: $(READY) ## circusd in the foreground, on examples/quickstart.ini
	@$(VENV)/bin/circusd $(CONFIG)

test: tools ## every check that a change has to pass; ONLY=unit,lint runs these alone
	@$(VENV)/bin/tox run $(if $(ONLY),-e $(ONLY))

test-vm: tools ## what takes a kernel of its own: limits of control groups, in an emulated machine
	@$(call install,$(NEEDED_BY_TEST_VM))
	@$(VENV)/bin/tox run -e vm

docs: tools ## the documentation as a book, in build/html
	@$(VENV)/bin/sphinx-build -q -W -n -E --keep-going docs build/html
	@echo 'The documentation is in build/html/index.html'

coverage: tools ## which lines and branches of circus/ the tests run; ONLY='unit web' does these anew
	@$(VENV)/bin/pip install -q --disable-pip-version-check --upgrade --target build/coverage/site \
		'coverage>=7.10'
	@$(SUDO) $(VENV)/bin/python -m tests.coverage.measure $(ONLY)

bench: $(READY) ## circusd beside its peers and the bare floor; BENCH='--help' tells more
	@$(VENV)/bin/python -m benchmarks $(BENCH)

deb: ## the Debian packages, in dist/
	@$(call install,dpkg-dev)
	@packaging/build-deb

# Installs those of these Debian packages that are missing, and starts none of their services.
define install
missing=; for package in $(1); do \
	dpkg-query -W -f='$${db:Status-Abbrev}' $$package 2>/dev/null | grep -q '^[ih]i' \
		|| missing="$$missing $$package"; done; \
if [ -n "$$missing" ]; then \
	echo "Installing$$missing"; export DEBIAN_FRONTEND=noninteractive; \
	install="$(SUDO) env RUNLEVEL=1 SYSTEMD_OFFLINE=1 apt-get install -y -qq --no-install-recommends \
		$$missing"; \
	$$install || { $(SUDO) apt-get update -qq && $$install; }; fi
endef

# What a build needs, then the newest Python that has headers and venv, then ourselves.
$(READY): setup.py circus/host/launch.c
	@$(call install,$(NEEDED))
	@if ! $(VENV)/bin/python -c '$(FIT)' 2>/dev/null; then \
		for name in 3.15 3.14 3.13 3.12 3.11 3; do \
			python=$$(command -v python$$name) && $$python -c '$(FIT)' 2>/dev/null && break; \
			python=; done; \
		if [ -z "$$python" ]; then echo 'Circus needs Python 3.11 or newer' >&2; exit 1; fi; \
		echo "Preparing $(VENV) with $$($$python --version)"; \
		$$python -m venv --clear $(VENV); fi
	@echo 'Installing Circus in $(VENV)'
	@# the pip of Debian 12 builds what is no wheel in an old way otherwise, and complains of that
	@$(VENV)/bin/pip install -q --disable-pip-version-check --use-pep517 -e .
	@touch $@

FIT := import ensurepip, os, sys, sysconfig; \
	sys.exit(sys.version_info < (3, 11) \
	or not os.path.exists(sysconfig.get_path("include") + "/Python.h"))

# What the checks are made with; each part of tox.ini asks for it, and all share it.
tools: $(TOOLS)

$(TOOLS): $(READY) Makefile
	@$(call install,$(NEEDED_BY_TESTS))
	@echo 'Installing the tools of the checks in $(VENV)'
	@$(VENV)/bin/pip install -q --disable-pip-version-check \
		'build>=1.0' 'chaussette>=1.3' 'codespell>=2.2' 'django>=4.2' 'falcon>=3.1.1' 'furo>=2023.9' 'gevent>=22.10.2' 'gunicorn>=22' 'hypothesis>=6.100' 'import-linter>=2.0' 'jinja2>=3.1.2' 'markdown-it-py>=2.2' 'mypy>=1.11' 'myst-parser>=2' 'prometheus_client>=0.20' 'pyramid>=2.1' 'pytest>=8' \
		'pytest-timeout>=2.3' 'redis>=4.3.4' 'ruff>=0.6' 'schemathesis>=4' 'selenium>=4.20' 'sphinx>=7.2' 'tornado>=6.4' 'tox>=4.11' types-psutil types-setuptools types-waitress \
		'uvicorn>=0.30' 'vulture>=2.11' 'waitress>=2.1.2'
	@# for the axe-core in it alone: it would bring a browser
	@$(VENV)/bin/pip install -q --disable-pip-version-check --no-deps 'axe-playwright-python==0.1.8'
	@touch $@

bench-console: tools ## what the web console costs beside a thousand workers, and how soon it tells
	@$(VENV)/bin/python -m benchmarks.console
	@$(VENV)/bin/python -m benchmarks.console_browser

bench-journal: tools ## a million lines into a journal, all there or counted, also when it is stopped
	@$(VENV)/bin/python -m benchmarks.journal

bench-streams: tools ## a million lines through each file stream, whatever happens to their file and its disk
	@$(SUDO) $(VENV)/bin/python -m benchmarks.streams

soak: tools ## whether the daemon stays as it is: commands, clients, subscribers, workers and lines without end
	@$(VENV)/bin/python -m benchmarks.soak

clean: ## what was built here
	rm -rf $(VENV) .tox build dist *.egg-info circus/host/launch
