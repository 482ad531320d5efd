#!/usr/bin/env bash
# The same password needs some 60 times as many guesses in one port of zxcvbn as in another, because the original's
# list of recent years ends with 2019. A meter in the browser then accepts what the server refuses.
#
# Versions: npm zxcvbn 4.4.2, PyPI zxcvbn 4.5.0, npm @zxcvbn-ts/core 4.2.0 with language-common 4.1.3 and
# language-en 4.1.1; crates.io zxcvbn 3.1.1 knows the years until 2099 too (its source: `19[0-9]{2}|20[0-9]{2}`).
#
# | guesses       | npm zxcvbn | PyPI zxcvbn | @zxcvbn-ts |
# |---------------|------------|-------------|------------|
# | summer2019    | 1.7e+4     | 1.7e+4      | 1.5e+4     |
# | summer2026    | 1.0e+6     | 1.0e+6      | 1.5e+4     |
#
# One would expect ports of one algorithm to agree, above all on the ending that people are most likely to choose this
# year. The two that carry the original's name take 2020 and later for four random digits: with the usual threshold of
# 10^6 guesses (score 2 and more) they let a season and this year pass.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check zxcvbn==4.5.0
npm install --silent --no-audit --no-fund \
  zxcvbn@4.4.2 @zxcvbn-ts/core@4.2.0 @zxcvbn-ts/language-common@4.1.3 @zxcvbn-ts/language-en@4.1.1

cat >guess.mjs <<'JAVASCRIPT'
import zxcvbn from 'zxcvbn'
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import * as common from '@zxcvbn-ts/language-common'
import * as english from '@zxcvbn-ts/language-en'

const factory = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
})
for (const password of ['summer2019', 'summer2026']) {
  const meters = { zxcvbn: zxcvbn(password), 'zxcvbn-ts': factory.check(password) }
  for (const [name, { guesses }] of Object.entries(meters)) {
    console.log(name, password, guesses.toExponential(1))
  }
}
JAVASCRIPT

cat >guess.py <<'PYTHON'
from zxcvbn import zxcvbn

for password in ["summer2019", "summer2026"]:
    print("python", password, f"{zxcvbn(password)['guesses']:.1e}".replace("e+0", "e+"))
PYTHON

{ node guess.mjs; venv/bin/python guess.py; } | tee guesses.txt

diff guesses.txt - <<'EXPECTED'
zxcvbn summer2019 1.7e+4
zxcvbn-ts summer2019 1.5e+4
zxcvbn summer2026 1.0e+6
zxcvbn-ts summer2026 1.5e+4
python summer2019 1.7e+4
python summer2026 1.0e+6
EXPECTED
