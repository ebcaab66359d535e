#!/usr/bin/env bash
# For a double click: starts Trunkline with Docker in one of three modes.
#   start_docker.sh [smart|simple|legacy]
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."

mode=${1:-}
if [ -z "$mode" ]; then
  if [ -t 0 ]; then
    echo 'How shall Trunkline start?'
    echo '  1  smart   checks first, waits for health, places a demo call'
    echo '  2  simple  only starts the containers'
    echo '  3  legacy  plain docker compose up, in the foreground'
    read -r -p 'Mode [1]: ' mode
  fi
fi
case "${mode:-1}" in
  1 | smart) exec ./start_scripts/start.sh --docker ;;
  2 | simple) exec ./start_scripts/start.sh --docker --simple ;;
  3 | legacy) exec ./start_scripts/start.sh --legacy ;;
  *)
    printf 'There is no mode "%s"; there are smart, simple and legacy.\n' "$mode" >&2
    exit 2
    ;;
esac
