"""Makes a pool, and calls the AWS command line on it."""

import csv
import datetime
import json
import os
import pathlib
import subprocess
import sys

import boto3
from moto.server import ThreadedMotoServer

cast = json.load(open(sys.argv[1]))
folder = pathlib.Path(sys.argv[2])
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
os.environ |= {"AWS_ACCESS_KEY_ID": "synthetic", "AWS_SECRET_ACCESS_KEY": "synthetic", "AWS_DEFAULT_REGION": "eu-central-1"}
client = boto3.client("cognito-idp", endpoint_url=endpoint)
pool = client.create_user_pool(PoolName="acme", UsernameAttributes=["email"])["UserPool"]["Id"]


def aws(*arguments):
    command = [sys.executable, "-m", "awscli", "cognito-idp", *arguments, "--user-pool-id", pool, "--endpoint-url", endpoint]
    return subprocess.check_output(command, text=True)


for person in cast:
    attributes = {"email": person["email"], "email_verified": str(person["verified"]).lower()}
    if person["name"]:
        attributes |= {"name": person["name"], "given_name": person["first"], "family_name": person["last"]}
    client.admin_create_user(
        UserPoolId=pool,
        Username=person["email"],
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        MessageAction="SUPPRESS",
    )
    if person["password"]:
        client.admin_set_user_password(
            UserPoolId=pool, Username=person["email"], Password=person["password"]["right"], Permanent=True
        )
    if person["disabled"]:
        client.admin_disable_user(UserPoolId=pool, Username=person["email"])

listed = aws("list-users", "--output", "json")
(folder / "list-users.json").write_text(listed)
users = json.loads(listed)["Users"]
server.stop()
print(listed[:3000], file=sys.stderr)
