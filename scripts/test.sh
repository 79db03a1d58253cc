#!/bin/sh
# All that must hold before a change lands: lint, format, types, tests. --slow adds the proofs that take minutes.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
slow=
[ "${1:-}" = --slow ] && { slow=1; shift; }

scripts/system-packages.sh ${slow:+--slow}
scripts/elasticsearch.sh fetch >/dev/null || echo "Tests on a real Elasticsearch are skipped." >&2
"$bin/ruff" check agent tests scripts
"$bin/ruff" format --check agent tests scripts
"$bin/mypy"
if [ -n "$slow" ]; then
    FOREWARN_SLOW=1 exec "$bin/pytest" -n 2 "$@"
fi
exec "$bin/pytest" -n 2 -m "not slow" "$@"
