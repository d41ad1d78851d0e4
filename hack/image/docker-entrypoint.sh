#!/bin/sh
# What the image does by its first argument, as the reference's image does it.
set -eu
if [ -n "${OPERATOR_LIB:-}" ]; then
    export PYTHONPATH="$OPERATOR_LIB${PYTHONPATH:+:$PYTHONPATH}"
fi
command="${1:-help}"
case "$command" in
help)
    echo "Usage: docker-entrypoint.sh (operator|COMMAND of flinkop|anything else to run)"
    ;;
operator)
    shift
    echo "Starting Operator"
    exec flinkop run "$@"
    ;;
webhook)
    echo "This version has no webhook: install the chart of the same version." >&2
    exit 2
    ;;
run | version | crds | config)
    exec flinkop "$@"
    ;;
*)
    exec "$@"
    ;;
esac
