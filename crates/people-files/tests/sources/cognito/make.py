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
            UserPoolId=pool, Username=person["email"], Password="Synthetic-1234", Permanent=True
        )
    if person["disabled"]:
        client.admin_disable_user(UserPoolId=pool, Username=person["email"])

# Version 1 of the command line prints seconds, version 2 dates with a zone; this setting is the default of version 2.
(folder / "list-users.json").write_text(aws("list-users", "--output", "json"))
pathlib.Path("config").write_text("[default]\ncli_timestamp_format = iso8601\n")
os.environ["AWS_CONFIG_FILE"] = "config"
listed = aws("list-users", "--output", "json")
(folder / "list-users-2.json").write_text(listed)
users = json.loads(listed)["Users"]

# Of `aws cognito-idp get-csv-header`; the order is that of the pool, and `sub` is not among them.
HEADER = (
    "name,given_name,family_name,middle_name,nickname,preferred_username,profile,picture,website,email,email_verified,"
    "gender,birthdate,zoneinfo,locale,phone_number,phone_number_verified,address,updated_at,cognito:mfa_enabled,"
    "cognito:username"
).split(",")
people, in_csv = [], []
with open(folder / "users.csv", "w", newline="") as file:
    rows = csv.DictWriter(file, HEADER, lineterminator="\n")
    rows.writeheader()
    for user in users:
        attributes = {one["Name"]: one["Value"] for one in user["Attributes"]}
        sub = attributes.pop("sub")
        rows.writerow({**attributes, "cognito:mfa_enabled": "false", "cognito:username": user["Username"]})
        key = next(person["key"] for person in cast if person["email"] == attributes["email"])
        held = {"key": key, "external_id": sub, "password": None}
        created = datetime.datetime.fromisoformat(user["UserCreateDate"]).astimezone(datetime.timezone.utc)
        people.append({**held, "created": created.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"})
        # The columns say neither when somebody came nor who is disabled.
        in_csv.append({**held, "created": None, "disabled": False})
server.stop()
inputs = [{"file": "list-users.json"}, {"file": "list-users-2.json"}]
json.dump({"inputs": inputs, "people": people}, open("held.json", "w"))
json.dump({"inputs": [{"file": "users.csv"}], "people": in_csv}, open("held-csv.json", "w"))
