# Sourced by the programs that need the peers: makes a virtual environment in tools/bench/.venv with the pinned ones
# (some 2 GB) on the first run, and again when requirements.txt has changed. Needs Python 3.11 or later.
fail() { echo "${0##*/}: $*" >&2; exit 1; }
stamp=.venv/requirements.txt
if ! cmp -s requirements.txt "$stamp"; then
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "found $(python3 --version), expected Python 3.11 or later: the pinned wheels need it"
  python3 -m venv --clear .venv || fail "no virtual environment could be made: install python3-venv"
  # One by one, so that a peer without a wheel for this machine leaves the others; it is then skipped with a message.
  while read -r requirement; do
    echo "installing $requirement" >&2
    .venv/bin/pip install --quiet --disable-pip-version-check "$requirement" >&2 ||
      echo "${0##*/}: $requirement cannot be installed here; what needs it is skipped" >&2
  done < <(grep -v '^#' requirements.txt)
  cp requirements.txt "$stamp"
fi
