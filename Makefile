# Every target sets itself up in a virtual environment inside the checkout: filled once, and again when
# pyproject.toml changes. PYTHON chooses the interpreter: 3.11 or 3.13, the ones that have a bpy wheel.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.DELETE_ON_ERROR:
.PHONY: demo test test-app pictures test-wheels lint bench zip clean

demo: $(VENV)/.demo-installed
	$(RUN) demo/demo.py --out out

test: $(VENV)/.dev-installed
	$(RUN) -m pytest

# The add-on in a real Blender window. Needs root and debootstrap: see tests/app/README.md.
test-app: $(VENV)/.demo-installed
	$(RUN) tests/app/run.py --suite trixie --out out/app

# The guide's pictures, from the real application.
pictures: $(VENV)/.demo-installed
	$(RUN) tests/app/run.py --suite trixie --out out/pictures --pictures docs/pictures

# The add-on in each Blender module there is for this Python (a gigabyte of disk, one at a time).
test-wheels: $(VENV)/.demo-installed
	$(RUN) tests/app/wheels.py

lint: $(VENV)/.dev-installed
	$(RUN) -m ruff check .
	$(RUN) -m mypy

# WORK is a trained working folder, AUDIO recordings nobody trained on: see benchmarks/README.md.
bench: $(VENV)/.dev-installed
	$(RUN) -m benchmarks.encoders --encoder $(WORK)/encoder.pt --corpus $(WORK)/corpus \
		--audio $(AUDIO) --alignments $(AUDIO)/alignments --out out/bench

zip: $(VENV)/.demo-installed
	$(RUN) build_addon.py --out dist

# Leaves .venv alone: it takes minutes to fill.
clean:
	rm -rf build dist out

$(VENV)/.demo-installed: EXTRAS := backend,blender
$(VENV)/.dev-installed: EXTRAS := backend,training,blender,dev
$(VENV)/.%-installed: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

$(RUN):
	@$(PYTHON) demo/check_machine.py
	$(PYTHON) -m venv $(VENV)
