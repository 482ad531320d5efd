"""Reads [{secret, headers, body}, …] and writes whether each is queued by the receiver of docs/webhooks.md, with PyPI's
standardwebhooks and FastAPI."""

import json
import os
import re
import sys
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

PAGE = Path("../../docs/webhooks.md").read_text(encoding="utf-8")
PROGRAM = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]


class Queue(list):
    async def add(self, event, id):
        self.append((event, id))


def accepts(told):
    app, queue = FastAPI(), Queue()
    os.environ["HALLPASS_WEBHOOK_SECRET"] = told["secret"]
    exec(PROGRAM, {"app": app, "queue": queue, "os": os, "Request": Request, "Response": Response})
    headers = told["headers"] | {"content-type": "application/json"}
    answer = TestClient(app).post("/hooks/hallpass", content=told["body"], headers=headers)
    is_queued = queue == [(json.loads(told["body"]), headers["webhook-id"])]
    assert answer.status_code == (204 if is_queued else 400), (answer.status_code, queue)
    return is_queued


print(json.dumps([accepts(told) for told in json.load(sys.stdin)]))
