#!/usr/bin/env bash
# Pins what pyproject.toml asks for, with everything below it, in requirements/*.txt. Run by `make lock`.
# Give it the oldest supported Python: what it can install, the newer ones can.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
constraints=()

for group in demo test; do
    "$python" -m venv "$folder/$group"
    pip=("$folder/$group/bin/python" -m pip --disable-pip-version-check)
    "${pip[@]}" install --quiet --upgrade pip # an old one has no --group
    "${pip[@]}" install --quiet ".[client,graphene-django,redis]" --group "$group" "${constraints[@]}"
    {
        echo "# Made by \`make lock\` from pyproject.toml: the package's dependencies and the group \"$group\"."
        "${pip[@]}" freeze --exclude django-gqlws
    } >"$folder/$group.txt"
    # What several files name has the same version in all.
    constraints=(--constraint "$folder/demo.txt")
done
cp "$folder"/*.txt requirements/
