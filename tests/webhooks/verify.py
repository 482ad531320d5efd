"""Reads [{secret, headers, body}, …] and writes whether PyPI's standardwebhooks accepts each."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def accepts(told):
    try:
        Webhook(told["secret"]).verify(told["body"], told["headers"])
        return True
    except WebhookVerificationError:
        return False


print(json.dumps([accepts(told) for told in json.load(sys.stdin)]))
