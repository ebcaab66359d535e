#!/usr/bin/env bash
# Passes the tests: static checks, unit tests, and whole calls over real SIP. Needs nothing installed before.
#   ./start_scripts/test.sh           everything
#   ./start_scripts/test.sh unit      only the tests beside the units
#   ./start_scripts/test.sh system    only the tests of the whole system
#   ./start_scripts/test.sh check     only lint, types, format and dead code
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
. start_scripts/install-packages.sh
install_packages
"$node" src/stack/main.ts setup --test
exec "$node" test/run.ts "$@"
