# The ways to build, run and test VideoSync. `make help` lists them.
#
# Each installs what it lacks (deploy/packages says what and why) and builds into build/<preset>, so
# any of them works on a fresh Debian 12 (on 13 the build and the package were tried), again after an
# interruption, and quickly the second time. ARGS are passed to the program by `run`, to ctest by the
# tests: make test ARGS='-L unit|www'. They are split at blanks, and the shell reads nothing into them.
SHELL := /bin/bash
.SHELLFLAGS := -efuo pipefail -c
.DEFAULT_GOAL := server
MAKEFLAGS += --no-print-directory
JOBS := $(shell nproc)
ARGS :=
export ARGS
FUZZ_SECONDS := 60
BASE :=
export BASE
SEEDS := 1000
MINUTES := 60

# Seven slots a core (cmake/TestSlots.cmake).
ctest = ctest --preset $(1) -j $$((7 * $(JOBS))) $$ARGS
# gcc 12's ThreadSanitizer cannot place its shadow where newer kernels randomize the address space.
without_aslr = $$(setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: server run run-redis test test-engines help
server: configure-release ## Build the server: build/release/videosync, videosync-media and the pages
	@cmake --build --preset release --target videosync videosync-media -j $(JOBS)
	@cmake --build --preset release --target pages

run: server demo ## Build, make a demo video if there is none, and start the server
	@[[ "$$ARGS" == *--listen* ]] || echo "Open http://127.0.0.1:8080/ in a browser. Ctrl-C stops the server."
	@exec build/release/videosync $$ARGS

run-redis: server demo packages-nodes ## Start a Redis, two nodes over it and nginx before them (docs/NODES.md)
	@exec deploy/run-redis build/release/videosync $$ARGS

test: dev ## Run the tests: unit, pages, end to end, browser, layers (make test-media has the long ones of films)
	@$(call ctest,dev) -LE media

test-engines: dev ## Run what people do in Chromium, Firefox and WebKit, all of it (make test has the short form)
	@VIDEOSYNC_FLOWS=all $(call ctest,dev) -L engines

.PHONY: test-media
test-media: dev ## Play a library of 110 odd films in Chromium, and see that each is on time; ARGS='vfr.mp4 ...'
	@[[ -n "$$ARGS" ]] || $(call ctest,dev) -L media
	@VIDEOSYNC_BINARY=build/dev/videosync node tests/media/main.mjs $$ARGS

.PHONY: deb
deb: server packages-package ## Make a Debian package of it: build/package/videosync_*.deb
	@cmake --build --preset release --target references
	@cd build/release && cpack -G DEB >/dev/null
	@find build/package -name '*.deb'

.PHONY: image try-image
image: deb packages-image ## Make a container's image of that package: build/image (as root; docs/OPERATING.md)
	@deploy/container/make-image

try-image: packages-test packages-image packages-containers ## Run it by podman, and deploy/compose.yaml by Docker (as root)
	@deploy/npm-ci tests tests
	@deploy/container/try

.PHONY: release
release: deb ## What is published of a version: archives, packages, what is in them (SPDX), checksums: build/publish
	@deploy/publish/make

try_trixie = find build/package -name 'videosync_*~deb13_*.deb' -print0 | xargs -0 -r -n 1 deploy/debian/try trixie
# The package of another Debian is built in a bare one: make deb-trixie.
.PHONY: deb-bookworm deb-trixie try-deb
deb-bookworm deb-trixie: packages-package ## ... for Debian 12 or 13, in a bare one of it (as root)
	@deploy/debian/build-in $(@:deb-%=%)

try-deb: packages-package ## Install, use, upgrade and purge the packages in bare Debians (as root)
	@find build/package -name 'videosync_*~deb12_*.deb' -print0 | xargs -0 -r -n 1 deploy/debian/try bookworm
	@$(try_trixie)

.PHONY: try-deb-trixie
try-deb-trixie: deb-trixie ## ... only that of Debian 13, which it builds (as root)
	@$(try_trixie)

.PHONY: try-redis
try-redis: packages-package ## Test what speaks to Redis in a bare Debian 13: TLS, its Redis, its Valkey (as root); ARGS='-R e2e_redis_tls'
	@deploy/debian/try-redis $$ARGS

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: dev asan tsan test-asan test-asan-units test-tsan fuzz sim sim-planted
dev: packages-test configure-dev ## Build what the tests run: server and tests, -O1, assertions
	@cmake --build --preset dev -j $(JOBS)
	@ln -sfn build/dev/compile_commands.json compile_commands.json

asan: packages-test configure-asan ## The same under AddressSanitizer and UBSan
	@cmake --build --preset asan -j $(JOBS)

tsan: packages-test configure-tsan ## The same under ThreadSanitizer
	@cmake --build --preset tsan -j $(JOBS)

test-asan: asan ## Run every test under AddressSanitizer and UBSan
	@$(call ctest,asan)

test-asan-units: packages-test configure-asan ## ... only the unit tests of core, proto and storage: five minutes of a core
	@cmake --build --preset asan --target core_tests proto_tests storage_tests -j $(JOBS)
	@$(call ctest,asan) -L unit -R '^(core|proto|storage)_'

test-tsan: tsan ## Run every test under ThreadSanitizer
	@$(without_aslr) $(call ctest,tsan)

fuzz: packages-fuzz configure-fuzz ## Fuzz each tests/fuzz/*_fuzz.cpp for FUZZ_SECONDS (60)
	@cmake --build --preset fuzz --target fuzzers -j $(JOBS)
	@deploy/run-fuzzers build/fuzz/fuzz tests/fuzz $(FUZZ_SECONDS)

.PHONY: fuzz-corpora fuzz-coverage
fuzz-corpora: fuzz ## ... then make the committed corpora anew, with what that has found
	@deploy/merge-corpora build/fuzz/fuzz tests/fuzz

fuzz-coverage: packages-test configure-coverage ## See which lines of the parsers these reach: the table of docs/FUZZING.md
	@cmake --build --preset coverage --target fuzz_corpora -j $(JOBS)
	@node deploy/fuzz-coverage.mjs build/coverage

sim: packages-test configure-dev ## Simulate nodes, a Redis and faults: SEEDS (1000) runs; ARGS='--seed 42', '--help'
	@cmake --build --preset dev --target sim -j $(JOBS)
	@build/dev/sim $(if $(findstring --seed ,$(ARGS)),,--seeds $(SEEDS)) $$ARGS

sim-planted: packages-test configure-dev ## See that the simulator finds faults that were planted into copies of sources
	@cmake --build --preset dev --target sim_planted -j $(JOBS)
	@build/dev/sim_planted $$ARGS

sim-kernel: packages-test configure-dev ## The loop on a simulated kernel: SEEDS (1000) runs; ARGS='--web', '--help'
	@cmake --build --preset dev --target kernel_sim -j $(JOBS)
	@build/dev/kernel_sim $(if $(findstring --seed ,$(ARGS)),,--seeds $(SEEDS)) $$ARGS

sim-kernel-planted: packages-test configure-dev ## See that the simulated kernel finds faults that were planted into the loop
	@cmake --build --preset dev --target kernel_sim_planted -j $(JOBS)
	@build/dev/kernel_sim_planted $$ARGS

.PHONY: hls
hls: ## Package a video as HLS into media/: make hls FILE=film.mkv (ARGS='--help' tells more)
	@deploy/install-packages demo
	@mkdir -p media
	@deploy/make-hls $$ARGS "$$FILE"
export FILE

.PHONY: screenshots
screenshots: server demo packages-test packages-pictures ## Take the pictures in docs/ anew, with a real Chromium
	@VIDEOSYNC_BINARY=build/release/videosync node tests/support/screenshots_home.mjs
	@VIDEOSYNC_BINARY=build/release/videosync node tests/support/screenshots.mjs
	@VIDEOSYNC_BINARY=build/release/videosync node tests/support/state_pictures.mjs

.PHONY: house
house: packages ## Draw docs/house.svg anew: floors, rooms, and which room uses which
	@node deploy/house/draw.mjs

.PHONY: types
types: packages-test ## Make the types of tests/types anew: messages, answers, ids of the pages
	@deploy/npm-ci tests tests
	@node tests/types/make.mjs

.PHONY: check-all
check-all: ## Everything that there is to check: hours; ARGS='asan fuzz', '--list'
	@FUZZ_SECONDS=$(FUZZ_SECONDS) deploy/check-all $$ARGS

.PHONY: lint-changed
lint-changed: packages-test packages-lint ## ... over the lines that changed since origin/main or the last commit; BASE=commit
	@cmake --preset dev -B build/lint -DVIDEOSYNC_UNITY=OFF >/dev/null
	@deploy/lint-changed build/lint $$BASE

.PHONY: lint format demo clean packages packages-test packages-containers packages-demo packages-fuzz packages-image packages-lint \
	packages-nodes packages-package packages-pictures
lint: packages-test packages-lint ## clang-format and clang-tidy over every source, each by itself
	@cmake --preset dev -B build/lint -DVIDEOSYNC_UNITY=OFF >/dev/null
	@deploy/lint build/lint

format: packages-lint ## Rewrite the sources as .clang-format has them
	@git ls-files '*.h' '*.cpp' | xargs clang-format-19 -i

demo: ## Make a demo video, if media/ has nothing to show
	@[[ -n "$$(ls media 2>/dev/null)" ]] || \
	  { deploy/install-packages demo && deploy/make-demo-video media/demo.mp4; }

clean: ## Remove everything that was built (media/ stays)
	@rm -rf build compile_commands.json tests/node_modules tests/.npm-ci.lock

packages: ## Install the Debian packages that building needs
	@deploy/install-packages build

packages-test: ## ... and those that testing needs
	@deploy/install-packages build test

packages-containers packages-demo packages-fuzz packages-image packages-lint packages-nodes packages-package packages-pictures:
	@deploy/install-packages $(@:packages-%=%)

# QUICK=1: fewer sizes, shorter runs. ARGS: see node bench/run.mjs --help.
bench_run = node bench/run.mjs $(1) $(if $(QUICK),--quick) $$ARGS
bench_cases := fanout crowd idle join http video strain mixed slow workers
.PHONY: bench bench-build bench-instructions $(addprefix bench-,$(bench_cases))
bench: bench-build ## Measure everything against floors and peers (bench/README.md); QUICK=1: in two minutes
	@$(bench_run)

bench-fanout: ## ... only the broadcast to 100 to 10,000 members; ARGS='--sizes 2000'
bench-crowd: ## ... a session of 50,000 on three nodes over Redis
bench-idle: ## ... the memory of an idle viewer
bench-join: ## ... thousands who join at once
bench-http: ## ... small requests, plain and pipelined
bench-video: ## ... video ranges of 64 KiB to 8 MiB
bench-strain: ## ... small requests beside a cold file and slow readers
bench-mixed: ## ... broadcasts beside all the video that the worker can serve
bench-slow: ## ... broadcasts where a tenth of the members never read
bench-workers: ## ... one worker and two (three cores)
$(addprefix bench-,$(bench_cases)): bench-build
	@$(call bench_run,$(@:bench-%=%))

bench-instructions: bench-build ## Compare instructions a message and a request with bench/instructions.json
	@node bench/instructions.mjs $$ARGS

bench-build: server
	@deploy/install-packages bench || echo "Some peers will be reported as absent."
	@cmake --build --preset release --target benches -j $(JOBS)
	@bench/peers/build

.PHONY: bench-redis
bench-redis: server packages-nodes packages-test ## Measure a session on two nodes (docs/NODES.md); ARGS='--members 200'
	@cmake --build --preset release --target node_load -j $(JOBS)
	@deploy/npm-ci tests tests
	@VIDEOSYNC_BINARY=build/release/videosync node bench/redis_nodes.mjs $$ARGS

.PHONY: bench-capacity
bench-capacity: server packages-nodes packages-test ## Measure what docs/SCALE.md reckons with and nothing else measures; ARGS='--members 200'
	@cmake --build --preset release --target node_load -j $(JOBS)
	@VIDEOSYNC_BINARY=build/release/videosync node bench/capacity_measure.mjs $$ARGS

.PHONY: bench-sync
bench-sync: server packages-test ## Measure how far apart real players are (docs/SYNC.md); QUICK=1: in a minute; ARGS='--help'
	@deploy/npm-ci tests tests
	@VIDEOSYNC_BINARY=build/release/videosync node bench/sync/main.mjs $(if $(QUICK),--quick) $$ARGS

.PHONY: bench-library
bench-library: server ## Measure a library of 50,000 videos (bench/README.md); ARGS='--files 5000', '--help'
	@VIDEOSYNC_BINARY=build/release/videosync bash -c 'ulimit -n 1024 && exec node bench/library.mjs $$ARGS'

.PHONY: bench-media
bench-media: server packages-test ## Measure forms of films: times and costs (docs/MEDIA.md); ARGS='--minutes 10', '--help'
	@VIDEOSYNC_BINARY=build/release/videosync node bench/media.mjs $$ARGS

.PHONY: bench-page
bench-page: server packages-nodes packages-test ## Measure the way from a link into the room (docs/PERFORMANCE.md); ARGS='--rtt 150', '--help'
	@deploy/npm-ci tests tests
	@VIDEOSYNC_BINARY=build/release/videosync node bench/page/main.mjs $$ARGS

.PHONY: soak
soak: server packages-nodes packages-test ## Everything at once for MINUTES (60): nothing may grow or be lost (bench/README.md); MINUTES=3 to try it
	@deploy/npm-ci tests tests
	@VIDEOSYNC_BINARY=build/release/videosync node bench/soak/main.mjs --minutes '$(MINUTES)' $$ARGS

# Once configured, the build notices by itself when CMake's files change.
configure-%: | packages
	@[[ -f build/$*/build.ninja ]] || cmake --preset $* || \
	  { rm -f build/$*/CMakeCache.txt; exit 1; }
