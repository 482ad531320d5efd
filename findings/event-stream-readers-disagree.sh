#!/usr/bin/env bash
# Three readers of event streams (server-sent events) disagree on six streams of a few bytes. The worst: when the
# connection is cut in the middle of an event, sseclient-py hands over the half that came as if it were whole.
#
# Versions: npm eventsource-parser 3.1.1, PyPI httpx-sse 0.4.3 with httpx 0.28.1, PyPI sseclient-py 1.9.0.
#
# | stream                                 | eventsource-parser | httpx-sse           | sseclient-py         |
# |----------------------------------------|--------------------|---------------------|----------------------|
# | `data: [1,` and then the end           | nothing            | nothing             | an event, `[1,`      |
# | `event: done` without data             | nothing            | an event, empty     | nothing              |
# | `retry: 10`                            | nothing            | an event, empty     | nothing              |
# | a byte order mark, then `event: done`  | `done`             | `message`           | `message`            |
# | `id: 7` with the first event of two    | 7, then undefined  | 7, then 7           | 7, then None         |
# | an id with NUL                         | ignored            | ignored             | taken                |
#
# One would expect what the HTML standard says (section 9.2.6): an event that no empty line ends is dropped, one
# without data is none, a byte order mark is skipped, the last id stays until another one comes, and an id with NUL is
# ignored. So code that parses the data as JSON fails at a mere `retry:` with httpx-sse, half an event of plain text
# passes for a whole one with sseclient-py, and whoever resumes by the id of the last event loses the place with two
# of them, unless they keep the last id that was not empty themselves.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check httpx==0.28.1 httpx-sse==0.4.3 sseclient-py==1.9.0
npm install --silent --no-audit --no-fund eventsource-parser@3.1.1

cat >streams.json <<'JSON'
{
  "cut": "data: [1,",
  "no data": "event: done\n\n",
  "retry": "retry: 10\n\n",
  "mark": "\ufeffevent: done\ndata: 1\n\n",
  "id": "id: 7\ndata: 1\n\ndata: 2\n\n",
  "nul": "id: 7\ndata: 1\n\nid: 8\u0000\ndata: 2\n\n"
}
JSON

cat >read.py <<'PYTHON'
import json

import httpx
import httpx_sse
import sseclient


def with_httpx(stream):
    headers = {"Content-Type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=stream))
    with httpx.Client(transport=transport) as client:
        with httpx_sse.connect_sse(client, "GET", "http://127.0.0.1/") as source:
            return [(event.event, event.data, event.id) for event in source.iter_sse()]


def with_sseclient(stream):
    return [(event.event, event.data, event.id) for event in sseclient.SSEClient(iter([stream])).events()]


for name, text in json.load(open("streams.json")).items():
    print("httpx-sse", name, json.dumps(with_httpx(text.encode())))
    print("sseclient-py", name, json.dumps(with_sseclient(text.encode())))
PYTHON

cat >read.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs'
import { createParser } from 'eventsource-parser'

for (const [name, text] of Object.entries(JSON.parse(readFileSync('streams.json', 'utf8')))) {
  const events = []
  const parser = createParser({ onEvent: ({ event = 'message', data, id }) => events.push([event, data, id]) })
  parser.feed(new TextDecoder().decode(Buffer.from(text)))
  console.log('eventsource-parser', name, JSON.stringify(events))
}
JAVASCRIPT

{ venv/bin/python read.py; node read.mjs; } | sed 's/", "/","/g; s/", null/",null/g; s/\], \[/],[/g' | LC_ALL=C sort | tee read.txt

diff read.txt - <<'EXPECTED'
eventsource-parser cut []
eventsource-parser id [["message","1","7"],["message","2",null]]
eventsource-parser mark [["done","1",null]]
eventsource-parser no data []
eventsource-parser nul [["message","1","7"],["message","2",null]]
eventsource-parser retry []
httpx-sse cut []
httpx-sse id [["message","1","7"],["message","2","7"]]
httpx-sse mark [["message","1",""]]
httpx-sse no data [["done","",""]]
httpx-sse nul [["message","1","7"],["message","2","7"]]
httpx-sse retry [["message","",""]]
sseclient-py cut [["message","[1,",null]]
sseclient-py id [["message","1","7"],["message","2",null]]
sseclient-py mark [["message","1",null]]
sseclient-py no data []
sseclient-py nul [["message","1","7"],["message","2","8\u0000"]]
sseclient-py retry []
EXPECTED
echo "as stated: three readers of event streams disagree"
