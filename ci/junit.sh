#!/usr/bin/env bash
# Puts the schema of Jenkins' xUnit plugin (junit-10.xsd, MIT) into target/junit, where the tests of junit.xml look: pytest's source
# package has it, for its own tests.
set -euo pipefail
cd "$(dirname "$0")/.."
at=target/junit

[ -s $at/junit-10.xsd ] && exit
python3 -m venv $at/venv
$at/venv/bin/pip download -q --disable-pip-version-check --no-deps --no-binary pytest -d $at/source pytest==8.4.2
tar -xzf $at/source/pytest-8.4.2.tar.gz -C $at --strip-components=3 pytest-8.4.2/testing/example_scripts/junit-10.xsd
rm -r $at/venv $at/source
