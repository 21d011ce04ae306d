# Everything that is done with this project by hand or by CI has its target here. `make` alone lists them.

GO       ?= go
FUZZTIME ?= 10s
SOAK     ?= 1h
CHAOS    ?= 3m
LINT     := $(GO) tool -modfile=tools/go.mod golangci-lint
# Where git is missing or refuses the checkout, the version cannot be stamped; build all the same.
VCS      := $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)
# Go keeps what it compiles by its flags: with these for the programs alone it would compile everything twice.
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS 2>/dev/null) -trimpath)

.DEFAULT_GOAL := help
.PHONY: help setup build demo walkthrough test test-race fuzz mutants lint vulnerabilities fmt bench peers archive load attack soak chaos accuracy \
	generate check clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 17

setup: ## Install what is missing (WITHOUT_SUDO=1: only say what), build, make the model pack
	@scripts/setup $(if $(WITHOUT_SUDO),--without-sudo)

build: ## Build bin/spotter and bin/spotter-decode
	@mkdir -p bin
	$(GO) build $(VCS) -o bin/ ./cmd/spotter ./cmd/spotter-decode

demo: setup ## Make a short video from group photos, search it, and write demo/result.html
	@$(GO) run ./bench/demo

walkthrough: setup ## Go the way of Amazon's guide once: S3, a queue, a search, who is seen when (needs boto3)
	@$(GO) run ./bench/walkthrough

# Without vet, whose checks "make lint" has, and more of them.
test: setup ## Run all tests, after setting up what they need
	$(GO) test -vet=off -timeout 60m ./...

test-race: setup ## Run all tests under the race detector
	$(GO) test -race -timeout 60m ./...

fuzz: setup ## Fuzz every target for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

mutants: setup ## Break the code in some forty places, one by one, and see whether the tests notice (some 15 minutes)
	@$(GO) run ./bench/mutants

lint: ## Check style, import directions and common mistakes
	$(LINT) run ./...

vulnerabilities: ## Look for known vulnerabilities in what is used (GOVULNDB), where their database can be reached
	@scripts/vulnerabilities

fmt: ## Format the code
	$(LINT) fmt ./...

bench: setup ## Measure speed: searches against plain decoding, the gallery against memory
	$(GO) run ./bench/speed
	$(GO) run ./bench/gallery

peers: setup ## Compare with a plain loop and with an npm package, on the evaluation data (needs npm)
	$(GO) run ./bench/peers

archive: setup ## Measure questions to an archive of a million faces that were followed (some 10 minutes, 12 GB of disk)
	$(GO) run ./bench/archive

load: setup ## Measure a whole server: many clients, large collections, long results (some 10 minutes, 5 GB of disk)
	$(GO) run ./bench/load

attack: setup ## Attack a server of its own as strangers may, and show whether a good caller is answered (two minutes)
	$(GO) run ./bench/attack

chaos: setup ## Break things around many processes on one database for CHAOS (3m), and check what must hold
	$(GO) run ./bench/chaos --for $(CHAOS)

soak: setup ## Work a server for SOAK (1h) with everything at once, and fail if it grows
	$(GO) run ./bench/load --parts soak --soak $(SOAK)

accuracy: setup ## Measure accuracy on the evaluation data (SPOTTER_EVALUATION)
	$(GO) run ./bench/accuracy

generate: ## Make generated files again
	$(GO) generate ./...

check: lint vulnerabilities test ## What CI runs

clean: ## Remove what was built; the model pack and the npm packages stay
	rm -rf bin build demo coverage.out
