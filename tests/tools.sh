# What the tests need beside Rust, installed where it can be; otherwise it is said plainly. Sourced by tests/run, tests/contract and tests/live.

tools=$PWD/target/tools
node_tools=$tools/node/node_modules/.bin
python_tools=$tools/python/bin

# Pinned, so that a new release of a linter never turns a green tree red.
node_packages="@stoplight/spectral-cli@6.16.3"
python_packages="openapi-spec-validator==0.9.0 schemathesis==4.32.5"

have() { command -v "$1" >/dev/null 2>&1; }
have_postgres() { have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

# debian PACKAGE…: installs, or says what to install.
debian() {
  if [ "$(id -u)" -eq 0 ] && have apt-get; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null && return
  fi
  echo "Please install: $* (Debian's names; as root: apt-get install $*)" >&2
  return 1
}

install_services() {
  local missing=()
  have_postgres || missing+=(postgresql)
  have redis-server || missing+=(redis-server)
  have setpriv || missing+=(util-linux)
  have git || missing+=(git)
  have faketime || missing+=(faketime)
  [ ${#missing[@]} -eq 0 ] || debian "${missing[@]}" || return 1
  have_postgres && have redis-server && have setpriv && have git && have faketime
}

install_contract_tools() {
  have node && have npm || debian nodejs npm || return 1
  have python3 || debian python3 || return 1
  have curl || debian curl ca-certificates || return 1
  if [ "$(cat "$tools/node/installed" 2>/dev/null)" != "$node_packages" ]; then
    mkdir -p "$tools/node" && echo '{"private": true}' > "$tools/node/package.json" || return 1
    # shellcheck disable=SC2086
    npm install --silent --no-audit --no-fund --prefix "$tools/node" $node_packages || return 1
    echo "$node_packages" > "$tools/node/installed"
  fi
  if [ "$(cat "$tools/python/installed" 2>/dev/null)" != "$python_packages" ]; then
    python3 -m venv "$tools/python" || { debian python3-venv && python3 -m venv "$tools/python"; } || return 1
    # shellcheck disable=SC2086
    "$python_tools/pip" install --quiet --disable-pip-version-check $python_packages || return 1
    echo "$python_packages" > "$tools/python/installed"
  fi
  # The TypeScript client brings its own tools, pinned in its lock file; they are installed beside a copy of it.
  local copy=$tools/openapi/sdk/typescript
  mkdir -p "$copy" && cp openapi/sdk/typescript/package*.json "$copy" || return 1
  if ! cmp -s "$copy/package-lock.json" "$copy/installed"; then
    npm ci --silent --no-audit --no-fund --prefix "$copy" && cp "$copy/package-lock.json" "$copy/installed" || return 1
  fi
}
