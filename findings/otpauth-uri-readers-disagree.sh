#!/usr/bin/env bash
# An otpauth:// URI that one maintained library reads, another one refuses: pyotp and npm's otpauth disagree on three
# things that the Key URI Format (of Google Authenticator's wiki) allows or only advises against.
#
# Versions: PyPI pyotp 2.9.0, npm otpauth 9.4.1.
#
# | URI                                        | pyotp.parse_uri                              | otpauth URI.parse  |
# |--------------------------------------------|----------------------------------------------|--------------------|
# | a parameter it does not know, `icon=…`     | ValueError: icon is not a valid parameter    | read, ignored      |
# | `algorithm=sha1` in lower case             | ValueError: Invalid value for algorithm, …   | read               |
# | label prefix and `issuer` differ           | ValueError: … it should be equal.            | read, prefix lost  |
# | `counter` missing in a hotp URI            | read, counts from 0                          | TypeError          |
#
# One would expect: unknown parameters are skipped and keywords compared without case, as in other query strings, and
# a required parameter is required by both. So whoever makes such URIs is read everywhere only with upper-case
# algorithm, the same issuer twice, no parameter beyond the documented ones, and a counter.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyotp==2.9.0
npm install --silent --no-audit --no-fund otpauth@9.4.1

cat >uris.txt <<'URIS'
plain otpauth://totp/Example:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA1&digits=6&period=30
icon otpauth://totp/Example:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Example&icon=star
case otpauth://totp/Example:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=sha1
issuer otpauth://totp/Other:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Example
counter otpauth://hotp/Example:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Example
URIS

cat >read.py <<'PYTHON'
import pyotp

for line in open("uris.txt"):
    name, uri = line.split()
    try:
        print(name, "read, issuer", pyotp.parse_uri(uri).issuer)
    except ValueError as error:
        print(name, "refused:", error)
PYTHON

cat >read.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs'
import { URI } from 'otpauth'

for (const line of readFileSync('uris.txt', 'utf8').trim().split('\n')) {
  const [name, uri] = line.split(' ')
  try {
    console.log(name, 'read, issuer', URI.parse(uri).issuer)
  } catch (error) {
    console.log(name, 'refused:', error.message)
  }
}
JAVASCRIPT

venv/bin/python read.py | tee python.txt
node read.mjs | tee node.txt

diff python.txt - <<'EXPECTED'
plain read, issuer Example
icon refused: icon is not a valid parameter
case refused: Invalid value for algorithm, must be SHA1, SHA256 or SHA512
issuer refused: If issuer is specified in both label and parameters, it should be equal.
counter read, issuer Example
EXPECTED
diff node.txt - <<'EXPECTED'
plain read, issuer Example
icon read, issuer Example
case read, issuer Example
issuer read, issuer Example
counter refused: Missing or invalid 'counter' parameter
EXPECTED
echo "as stated: the two libraries disagree on four of five URIs"
