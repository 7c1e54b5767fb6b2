# Two doors: `make run` and `make test`, from a bare Debian, as root or with sudo.

VENV := .venv
STAMP := $(VENV)/.ready
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
PACKAGES := python3 python3-venv python3-dev gcc libc6-dev libcap-dev
MISSING = $(shell dpkg-query -W -f='$${db:Status-Abbrev} $${Package}\n' $(PACKAGES) 2>/dev/null \
	| awk '$$1 == "ii" { have[$$2] = 1 } END { n = split("$(PACKAGES)", p, " "); \
	for (i = 1; i <= n; i++) if (!have[p[i]]) print p[i] }')

.PHONY: run test bench prepare clean

run: prepare ## circusd in the foreground, with examples/quickstart.ini
	@$(VENV)/bin/circusd examples/quickstart.ini

test: prepare ## every check there is
	@$(VENV)/bin/pip install -q 'tox>=4'
	@$(VENV)/bin/tox

bench: prepare ## circusd beside a bare floor, as ratios
	@$(VENV)/bin/python benchmarks/run.py

prepare: $(STAMP)

$(STAMP): setup.py circus/host/launch.c
	@missing="$(strip $(MISSING))"; if [ -n "$$missing" ]; then \
		echo "Installing $$missing"; \
		$(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi
	@echo "Preparing $(VENV)"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Circus needs Python 3.11 or newer")'
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install -q -e .
	@touch $@

clean: ## what was built here
	rm -rf $(VENV) .tox build dist *.egg-info circus/host/launch
