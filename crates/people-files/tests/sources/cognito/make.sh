#!/usr/bin/env bash
# Makes what a team with Cognito can get: the answers of `aws cognito-idp list-users` and a CSV with the columns of
# `aws cognito-idp get-csv-header`. The commands are the real ones (PyPI awscli 1.46.3); a pool of PyPI moto 5.2.5
# answers them on this machine. There are no hashes and no TOTP secrets in either, ever.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[cognitoidp,server]==5.2.5' awscli==1.46.3 boto3
venv/bin/python "$here/make.py" "$here/../cast.json" "$here" 2>requests.log
python3 "$here/../expect.py" "$here/expected.json" <held.json
python3 "$here/../expect.py" "$here/expected-csv.json" <held-csv.json
