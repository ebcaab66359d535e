# Sourced by start.sh and test.sh: brings node_modules to what package-lock.json says, on any Node.js that
# can run npm; everything after that runs on the Node.js 24 that is among the packages.

fail() {
  printf '%s\n  %s\n' "$1" "$2" >&2
  exit 1
}

install_packages() {
  command -v npm >/dev/null 2>&1 || {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
      echo '  … Debian packages: nodejs, npm'
      apt-get update -q >/dev/null && apt-get install -y -q nodejs npm >/dev/null ||
        fail 'Node.js and npm could not be installed.' 'Try by hand: apt-get update && apt-get install -y nodejs npm'
    else
      fail 'Node.js and npm are not on this machine.' 'Install them (Debian, as root: apt-get install -y nodejs npm), then run this again.'
    fi
  }
  stamp=node_modules/.installed-for
  want=$(cat package.json package-lock.json | cksum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    echo '  … npm packages (about a minute the first time)'
    npm install --no-audit --no-fund --loglevel=error ||
      fail 'The npm packages could not be installed.' 'See the lines above; run this again when npm can reach its registry.'
    # npm may rewrite the lock file; what counts is what it looks like now.
    cat package.json package-lock.json | cksum >"$stamp"
    echo '  ✓ npm packages'
  fi
  node=$PWD/node_modules/.bin/node
  [ -x "$node" ] || fail 'The Node.js that npm brings is missing.' 'Delete node_modules and run this again.'
}
