#!/usr/bin/env bash
# Makes one list of people as spreadsheets save it: Excel's "CSV UTF-8" (byte order mark), its "Unicode text" (UTF-16,
# tabs), its plain CSV where the comma is decimal (Windows-1252, semicolons), one with a line `sep=`, and one of
# LibreOffice (UTF-8 without a mark, commas).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python3 "$here/make.py" "$here" | python3 "$here/../expect.py" "$here/expected.json"
