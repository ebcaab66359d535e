#!/usr/bin/env bash
# Sets up everything on this machine, starts it and shows that it works. See --help.
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."
. start_scripts/install-packages.sh
install_packages
exec "$node" src/stack/main.ts start "$@"
