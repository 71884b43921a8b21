# Every target is a step of ./run, which also works where make is not installed. `make check` is what .ci/run runs.
#   make score CORPUS=DIR      measure against another folder of the form of ../shared/corpus
#   make new-kind NAME=...     draft a new kind of report (LINE='as the kernel prints it')
#   make PY=python test        use that interpreter and its tools instead of .venv
TARGETS = check check-all fmt format lint types imports docs screenshots docs-check cases test score bench fuzz growth mutate demo setup clean site dist oldest newest test-extra new-kind

.PHONY: $(TARGETS)
.DEFAULT_GOAL = check
export PY CORPUS SCORE JOBS VENV SECONDS SEED NAME LINE

$(TARGETS):
	@./run $@
