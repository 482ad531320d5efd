"""Makes vectors.json: what every verifier of Hallpass's tokens must answer. README.md says how to run them.

    python make.py > vectors.json        (needs `cryptography` 43 or later, for ES256 signatures that are always the same)
"""

import base64
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

NOW = 1_800_000_000
WEEK = 604_800
NEW = "a-newer-secret-for-tests-only-0123456789"
OLD = "an-older-secret-for-tests-only-0123456789"

ADA = "0198c0de-0000-7000-8000-00000000ada0"
BOB = "0198c0de-0000-7000-8000-000000000b0b"
ACME = "0198c0de-0000-7000-8000-0000000000c0"
LAPTOP = "0198c0de-1111-7111-9111-0123456789ab"
PHONE = "0198c0de-2222-7222-a222-fedcba987654"
DESK = "0198c0de-3333-7333-bfff-ffffffffffff"
OTHER = "0198c0de-4444-7444-8444-444444444444"

ISSUER = "https://id.example.com"
AUDIENCE = "https://api.example.com"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def mac(key, text):
    key = key if isinstance(key, bytes) else key.encode()
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def kid_of_secret(secret):
    root = hmac.new(bytes(32), secret.encode(), hashlib.sha256).digest()
    return b64(hmac.new(root, b"hallpass kid\x01", hashlib.sha256).digest()[:8])


def private_key(name):
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big"), ec.SECP256R1())


def public_jwk(key):
    numbers = key.public_key().public_numbers()
    x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    thumbprint = hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest()
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": b64(thumbprint), "use": "sig", "alg": "ES256"}


def public_pem(key):
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(*form)


def es256(key, text, der=False):
    signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    if der:
        return signature
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))


SIGNER = private_key("the signing key of Hallpass's vectors")
RETIRED = private_key("a second key of Hallpass's vectors")
FOREIGN = private_key("a key that Hallpass's vectors do not publish")
SIGNER_JWK, RETIRED_JWK = public_jwk(SIGNER), public_jwk(RETIRED)
PLANTED = {"kty": "oct", "k": b64(b"a key that nobody may use: an oct key is a secret"), "kid": "planted", "alg": "HS256"}
ED25519 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "kid": "ed25519",
    "alg": "EdDSA",
    "use": "sig",
}

NOT_ON_ITS_CURVE = {**SIGNER_JWK, "y": SIGNER_JWK["x"], "kid": "broken"}
P384 = {"kty": "EC", "crv": "P-384", "x": b64(bytes(range(48))), "y": b64(bytes(range(48))), "kid": "p384", "alg": "ES384"}

CLAIMS = {
    "sub": ADA,
    "orgId": ACME,
    "role": "manager",
    "iat": NOW - 60,
    "exp": NOW + 600,
    "sid": LAPTOP,
    "ver": 4,
    "pv": 2,
}


def claims(*without, **changed):
    return {name: value for name, value in {**CLAIMS, **changed}.items() if name not in without}


def header(**changed):
    """Of an HS256 token; a member that is None is left out."""
    members = {"typ": "JWT", "alg": "HS256", "kid": kid_of_secret(NEW), **changed}
    return {name: value for name, value in members.items() if value is not None}


def es_header(**changed):
    return header(**{"alg": "ES256", "kid": SIGNER_JWK["kid"], **changed})


def text(value):
    return value if isinstance(value, str) else compact(value)


def hs_token(payload=CLAIMS, head=None, key=NEW):
    signed = b64(text(head or header()).encode()) + "." + b64(text(payload).encode())
    return signed + "." + b64(mac(key, signed))


def es_token(payload=CLAIMS, head=None, key=SIGNER, der=False):
    signed = b64(text(head or es_header()).encode()) + "." + b64(text(payload).encode())
    return signed + "." + b64(es256(key, signed, der))


GOOD = hs_token()
HEAD, PAYLOAD, TAG = GOOD.split(".")


def raw(head=HEAD, payload=PAYLOAD):
    """Signed by the newer secret, whatever stands there."""
    return f"{head}.{payload}." + b64(mac(NEW, f"{head}.{payload}"))


def as_long_as(length):
    """A good token of this length, or one character less."""
    for size in range(length, 0, -1):
        token = hs_token(claims(note="n" * size))
        if len(token) <= length:
            return token


def stray_bits(part):
    """The same bytes to a lenient decoder: the last character has bits that belong to no byte."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4, "all bits of this belong to bytes"
    return part[:-1] + alphabet[alphabet.index(part[-1]) | 1]


def without_leading_zero():
    """An ES256 token whose s has a leading zero, which is left out."""
    for number in range(10_000):
        signed, _, signature = es_token(claims(number=number)).rpartition(".")
        data = base64.urlsafe_b64decode(signature + "==")
        if data[32] == 0:
            return f"{signed}." + b64(data[:32] + data[33:])


def tokens():
    def case(name, token, expected="invalid", **more):
        found.append({"name": name, "token": token, **more, "expected": expected})

    found = []
    both = {"issuer": ISSUER, "audience": AUDIENCE}

    # Good ones.
    case("HS256 with the newer secret", GOOD, "ok")
    case("HS256 with the older secret", hs_token(head=header(kid=kid_of_secret(OLD)), key=OLD), "ok")
    case("ES256", es_token(), "ok")
    case("ES256 with the second key", es_token(head=es_header(kid=RETIRED_JWK["kid"]), key=RETIRED), "ok")
    case("no typ", hs_token(head=header(typ=None)), "ok")
    case("ES256, no typ", es_token(head=es_header(typ=None)), "ok")
    for order in ("alg typ kid", "alg kid typ"):
        head = {name: header()[name] for name in order.split()}
        case(f"a header of {order}, as other signers write it", hs_token(head=head), "ok")
    case("no organization", hs_token(claims("orgId", "role")), "ok")
    case("no pv, as in older tokens", hs_token(claims("pv")), "ok")
    case("a claim that nobody knows", hs_token(claims(theme="dark", tags=["a", {"b": None}])), "ok")
    case("a claim outside of ASCII", hs_token(claims(name="Zoë 🦊")), "ok")
    case("expires in a second", hs_token(claims(exp=NOW + 1)), "ok")
    case("signed by a clock a minute ahead", hs_token(claims(iat=NOW + 60, exp=NOW + 660)), "ok")
    case("the longest life", hs_token(claims(iat=NOW, exp=NOW + WEEK)), "ok")
    case("as long as can be", as_long_as(4096), "ok")
    case("iss and aud where none are asked for: iss alone", hs_token(claims(iss=ISSUER)), "ok")
    case("iss and aud as asked for", hs_token(claims(iss=ISSUER, aud=AUDIENCE)), "ok", options=both)
    case("aud as a list", hs_token(claims(iss=ISSUER, aud=["https://b.example", AUDIENCE])), "ok", options=both)

    # Algorithms and keys.
    none = b64(compact({"alg": "none", "typ": "JWT"}).encode())
    case("alg none", f"{none}.{PAYLOAD}.")
    case("alg none with the key id of a secret", hs_token(head=header(alg="none")))
    case("alg in small letters", hs_token(head=header(alg="hs256")))
    case("alg HS512", hs_token(head=header(alg="HS512")))
    case("alg in a list", hs_token(head=header(alg=["HS256"])))
    case("no alg", hs_token(head=header(alg=None)))
    case("HS256 keyed with the PEM of the public key", hs_token(head=es_header(alg="HS256"), key=public_pem(SIGNER)))
    case("HS256 keyed with x of the public key", hs_token(head=es_header(alg="HS256"), key=SIGNER_JWK["x"]))
    case("ES256 header, signed with the secret", hs_token(head=es_header()))
    case("ES256 header with the key id of the secret", es_token(head=es_header(kid=kid_of_secret(NEW))))
    planted = base64.urlsafe_b64decode(PLANTED["k"] + "==")
    case("HS256 keyed with an oct key of the key set", hs_token(head=header(kid="planted"), key=planted))
    case("ES256 header with the key id of an oct key", es_token(head=es_header(kid="planted")))
    case("ES256 header with the key id of a key on another curve", es_token(head=es_header(kid="p384")))
    case("ES256 header with the key id of a key that is none", es_token(head=es_header(kid="broken")))
    case("ES256 header with the key id of an Ed25519 key", es_token(head=es_header(kid="ed25519")))
    case("ES256 with the key id of another key", es_token(head=es_header(kid=RETIRED_JWK["kid"])))
    case("ES256 with a key that is not published", es_token(head=es_header(kid=public_jwk(FOREIGN)["kid"]), key=FOREIGN))
    case("ES256 with a known key id and a key that is not", es_token(key=FOREIGN))
    case("HS256 with the key id of the other secret", hs_token(head=header(kid=kid_of_secret(OLD))))
    case("HS256 with a secret that nobody has", hs_token(key="some-other-secret-for-tests-0123456789"))
    case("no kid", hs_token(head=header(kid=None)))
    case("an empty kid", hs_token(head=header(kid="")))
    case("an unknown kid", hs_token(head=header(kid="AAAAAAAAAAA")))
    for kid in ("__proto__", "constructor", "../../../../dev/null"):
        case(f"kid {kid}", hs_token(head=header(kid=kid)))
        case(f"ES256, kid {kid}", es_token(head=es_header(kid=kid)))
    case("kid as a list", hs_token(head=header(kid=[kid_of_secret(NEW)])))

    # Headers.
    for typ in ("secevent+jwt", "logout+jwt", "at+jwt", "", None):
        case(f"typ {json.dumps(typ)}", hs_token(head=compact({"typ": typ, "alg": "HS256", "kid": kid_of_secret(NEW)})))
    for name, value in {
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
        "jku": "https://evil.example/jwks.json",
        "jwk": SIGNER_JWK,
        "x5u": "https://evil.example/cert.pem",
        "x5c": ["MIIB"],
    }.items():
        case(f"{name} in the header", hs_token(head=header(**{name: value})))
    case("alg twice", hs_token(head=compact(header())[:-1] + ',"alg":"none"}'))
    case("kid twice", hs_token(head=compact(header())[:-1] + f',"kid":"{kid_of_secret(OLD)}"}}'))
    case("a header in a list", hs_token(head=compact(list(header().values()))))

    # Signatures.
    signature = base64.urlsafe_b64decode(TAG + "=")
    signed = f"{HEAD}.{PAYLOAD}"
    es = es_token()
    es_signed = es.rsplit(".", 1)[0]
    case("a signature with a bit flipped", f"{signed}." + b64(bytes([signature[0] ^ 1]) + signature[1:]))
    case("a signature of zeros", f"{signed}." + b64(bytes(32)))
    case("half a signature", f"{signed}." + b64(signature[:16]))
    case("an empty signature", f"{signed}.")
    case("a padded signature", GOOD + "=")
    case("a signature with stray bits", f"{signed}." + stray_bits(TAG))
    case("a signature with a line feed", GOOD + "\n")
    case("the signature of another token", f"{signed}." + hs_token(claims(ver=5)).split(".")[2])
    case("another payload under this signature", f"{HEAD}.{b64(compact(claims(role='admin')).encode())}.{TAG}")
    case("ES256 in DER", es_token(der=True))
    case("ES256 of zeros", f"{es_signed}." + b64(bytes(64)))
    case("ES256 a byte short", f"{es_signed}." + b64(es256(SIGNER, es_signed)[:63]))
    case("ES256 without a leading zero", without_leading_zero())
    case("ES256 with a byte more", f"{es_signed}." + b64(es256(SIGNER, es_signed) + b"\0"))
    case("ES256 with stray bits", f"{es_signed}." + stray_bits(es.rsplit(".", 1)[1]))

    # Times.
    case("exp is now", hs_token(claims(exp=NOW)), "expired")
    case("exp was a second ago", hs_token(claims(exp=NOW - 1)), "expired")
    case("ES256, expired", es_token(claims(exp=NOW - 1)), "expired")
    case("expired and forged", hs_token(claims(exp=NOW - 1), key="some-other-secret-for-tests-0123456789"))
    case("no exp", hs_token(claims("exp")))
    case("no iat", hs_token(claims("iat")))
    for name, value in {
        "a string": str(NOW + 600),
        "true": True,
        "null": None,
        "a list": [NOW + 600],
        "a float": NOW + 600.5,
    }.items():
        case(f"exp is {name}", hs_token(claims(exp=value)))
        case(f"iat is {name}", hs_token(claims(iat=value)))
    case("exp is a float without fraction", hs_token(claims(exp=float(NOW + 600))))
    case("exp in an exponent", hs_token(compact(CLAIMS).replace(f'"exp":{NOW + 600}', '"exp":18000006e2')))
    case("exp is 2^63", hs_token(claims(exp=2**63)))
    case("exp is 2^64 and more", hs_token(claims(exp=2**64 + NOW)))
    case("exp is in milliseconds", hs_token(claims(exp=(NOW + 600) * 1000)))
    case("a life a second too long", hs_token(claims(iat=NOW, exp=NOW + WEEK + 1)))
    case("a life of ten years", hs_token(claims(iat=NOW, exp=NOW + 520 * WEEK)))
    case("exp is iat", hs_token(claims(iat=NOW + 30, exp=NOW + 30)))
    case("exp before iat", hs_token(claims(iat=NOW + 30, exp=NOW + 20)))
    case("iat 61 seconds ahead", hs_token(claims(iat=NOW + 61, exp=NOW + 661)))
    case("nbf is now", hs_token(claims(nbf=NOW)), "ok")
    for name, external_id in {"": "ckx1ada0000", " with odd characters": 'auth0|"é"\\/<\u2028\x01\x7f>'}.items():
        case(f"an externalId{name}", hs_token(claims(externalId=external_id)), "ok")
        case(f"an externalId{name}, ES256", es_token(claims(externalId=external_id)), "ok")
    case("nbf a second ahead", hs_token(claims(nbf=NOW + 1)))

    # Whose it is, and for whom.
    for name in ("sub", "sid"):
        case(f"no {name}", hs_token(claims(name)))
        for value in ("", "1", 1, None, True, {"$ne": ""}, ADA.replace("-", ""), ADA[:-1] + "g"):
            case(f"{name} is {json.dumps(value)}", hs_token(claims(**{name: value})))
    case("no ver", hs_token(claims("ver")))
    for name in ("ver", "pv"):
        for value in ("4", 4.5, 4.0, True, [4], 2**63):
            case(f"{name} is {json.dumps(value)}", hs_token(claims(**{name: value})))
    case("orgId alone", hs_token(claims("role")))
    case("role alone", hs_token(claims("orgId")))
    case("orgId is no id", hs_token(claims(orgId="acme")))
    for role in ("superadmin", "Admin", "", None, True, {"admin": None}):
        case(f"role {json.dumps(role)}", hs_token(claims(role=role)))
    case("iss missing", hs_token(claims(aud=AUDIENCE)), options=both)
    case("another iss", hs_token(claims(iss="https://other.example", aud=AUDIENCE)), options=both)
    case("iss with a slash more", hs_token(claims(iss=ISSUER + "/", aud=AUDIENCE)), options=both)
    case("aud missing", hs_token(claims(iss=ISSUER)), options=both)
    case("another aud", hs_token(claims(iss=ISSUER, aud="https://other.example")), options=both)
    case("aud as a list of others", hs_token(claims(iss=ISSUER, aud=["https://other.example"])), options=both)
    case("aud as an empty list", hs_token(claims(iss=ISSUER, aud=[])), options=both)
    case("aud where none is asked for", hs_token(claims(aud=AUDIENCE)))
    case("an empty list for aud where none is asked for", hs_token(claims(aud=[])))

    # Forms.
    case("nothing", "")
    case("two dots", "..")
    case("a word", "token")
    case("two parts", signed)
    case("four parts", f"{GOOD}.{TAG}")
    case("four parts, the last empty", f"{GOOD}.")
    case("a space before", f" {GOOD}")
    case("a scheme before", f"Bearer {GOOD}")
    case("over 4096 characters", hs_token(claims(note="n" * 3000)))
    uneven = next(b for b in (compact(claims(x=x)).encode() for x in ("", "1")) if len(b) % 3)
    case("a padded payload", raw(payload=base64.urlsafe_b64encode(uneven).decode()))
    case("a payload with stray bits", raw(payload=stray_bits(b64(uneven))))
    standard = base64.b64encode(compact(claims(note="???>>>~~~")).encode()).decode().rstrip("=")
    assert "/" in standard or "+" in standard
    case("a payload in the alphabet of plain base64", raw(payload=standard))
    case("junk for a header", raw(head="!!!"))
    case("junk for a payload", raw(payload="%%%"))
    case("a payload that is not UTF-8", raw(payload=b64(compact(claims(x="?")).encode().replace(b'"?"', b'"\xff"'))))
    case("a payload after a byte order mark", raw(payload=b64(b"\xef\xbb\xbf" + compact(CLAIMS).encode())))
    case("a payload in a list", hs_token(compact([CLAIMS])))
    case("a payload that is null", hs_token("null"))
    case("a payload that is a string", hs_token(json.dumps(compact(CLAIMS))))
    case("an unfinished payload", hs_token(compact(CLAIMS)[:-1]))
    case("a payload with a tail", hs_token(compact(CLAIMS) + "{}"))
    case("a payload that is deep", hs_token("[" * 1400 + "]" * 1400))
    case("a payload with NaN", hs_token(compact(CLAIMS)[:-1] + ',"x":NaN}'))
    case("sub twice", hs_token(compact(CLAIMS)[:-1] + f',"sub":"{BOB}"}}'))
    case("role twice, once in escapes", hs_token(compact(CLAIMS)[:-1] + ',"r\\u006fle":"admin"}'))
    case("an unknown claim twice", hs_token(compact(CLAIMS)[:-1] + ',"x":1,"x":1}'))

    # Lists.
    listed = {"revoked": [{"sid": LAPTOP}]}
    case("its session is listed", GOOD, "revoked", **listed)
    case("ES256, its session is listed", es_token(), "revoked", **listed)
    case("another session is listed", GOOD, "ok", revoked=[{"sid": PHONE}, {"sid": DESK}])
    case("ver below the listed one", GOOD, "revoked", revoked=[{"sub": ADA, "ver": 5}])
    case("ver is the listed one", GOOD, "ok", revoked=[{"sub": ADA, "ver": 4}])
    case("ver above the listed one", GOOD, "ok", revoked=[{"sub": ADA, "ver": 3}])
    case("ver of another user", GOOD, "ok", revoked=[{"sub": BOB, "ver": 99}])
    case("pv below the listed one", GOOD, "outdated", revoked=[{"sub": ADA, "pv": 3}])
    case("pv is the listed one", GOOD, "ok", revoked=[{"sub": ADA, "pv": 2}])
    case("pv above the listed one", GOOD, "ok", revoked=[{"sub": ADA, "pv": 1}])
    case("no pv counts as 0", hs_token(claims("pv")), "outdated", revoked=[{"sub": ADA, "pv": 1}])
    case("no pv, and 0 is listed", hs_token(claims("pv")), "ok", revoked=[{"sub": ADA, "pv": 0}])
    case("revoked is worse than outdated", GOOD, "revoked", revoked=[{"sub": ADA, "pv": 3}, {"sub": ADA, "ver": 5}])
    case("the highest ver counts", GOOD, "revoked", revoked=[{"sub": ADA, "ver": 5}, {"sub": ADA, "ver": 2}])
    case("expired is worse than revoked", hs_token(claims(exp=NOW)), "expired", **listed)
    case("forged is worse than revoked", f"{signed}." + b64(bytes(32)), "invalid", **listed)

    # Staleness.
    case("the list is 30 seconds old", GOOD, "ok", silence=30)
    case("the list is 31 seconds old", GOOD, "stale", silence=31)
    case("there is no list", GOOD, "stale", silence=None)
    case("there is no list, and the token is forged", f"{signed}." + b64(bytes(32)), "invalid", silence=None)
    case("there is no list, and the token is expired", hs_token(claims(exp=NOW)), "expired", silence=None)
    case("revoked stays so with a stale list", GOOD, "revoked", silence=3600, **listed)
    case("outdated stays so with a stale list", GOOD, "outdated", silence=3600, revoked=[{"sub": ADA, "pv": 3}])
    case("stale 0, at once", GOOD, "stale", silence=1, options={"stale": 0})
    case("stale 10, in time", GOOD, "ok", silence=10, options={"stale": 10})
    case("stale 10, too late", GOOD, "stale", silence=11, options={"stale": 10})
    case("stale without end", GOOD, "ok", silence=100_000, options={"stale": "Infinity"})
    case("stale without end, but no list", GOOD, "stale", silence=None, options={"stale": "Infinity"})
    return found


PROBES = {
    "laptop": GOOD,
    "phone": hs_token(claims(sid=PHONE)),
    "desk": hs_token(claims("orgId", "role", "pv", sub=BOB, sid=DESK, ver=1)),
}


def data(*entries):
    return f"data: {compact(list(entries))}\n\n"


def fresh(cursor):
    return f"event: fresh\nid: {cursor}\ndata: {{}}\n\n"


RESET = "event: reset\ndata: {}\n\n"


def whole(cursor, *entries):
    return RESET + (data(*entries) if entries else "") + fresh(cursor)


def streams():
    def case(name, *connections, cursor, silence=0, **statuses):
        expected = {**dict.fromkeys(PROBES, "stale" if silence is None else "ok"), **statuses}
        found.append({"name": name, "connections": connections, "silence": silence, "cursor": cursor, "expected": expected})

    found = []
    laptop, phone, desk = {"sid": LAPTOP}, {"sid": PHONE}, {"sid": DESK}

    case("a list", whole("1.a", laptop), cursor="1.a", laptop="revoked")
    case("an empty list", whole("1.a"), cursor="1.a")
    case("a list in two batches", RESET + data(laptop) + data(desk) + fresh("1.a"),
         cursor="1.a", laptop="revoked", desk="revoked")
    case("all kinds of entries", whole("1.a", {"sub": ADA, "pv": 3}, phone, {"sub": BOB, "ver": 2}),
         cursor="1.a", laptop="outdated", phone="revoked", desk="revoked")
    case("a list, then what came since", whole("1.a", laptop) + data(desk) + fresh("2.b"),
         cursor="2.b", laptop="revoked", desk="revoked")
    case("what came since counts before the next fresh", whole("1.a") + data(laptop), cursor="1.a", laptop="revoked")
    case("a heartbeat", whole("1.a", laptop) + fresh("1.a") + fresh("1.a"), cursor="1.a", laptop="revoked")
    case("a later list replaces the first", whole("1.a", laptop) + whole("2.b", phone), cursor="2.b", phone="revoked")
    case("a list that is not finished changes nothing", whole("1.a", laptop) + RESET + data(phone),
         cursor="1.a", laptop="revoked")
    case("two resets in a row", whole("1.a", laptop) + RESET + data(phone) + RESET + data(desk) + fresh("2.b"),
         cursor="2.b", desk="revoked")
    case("a first list that is not finished", RESET + data(laptop), cursor="", silence=None)
    case("fresh before there is a list", fresh("1.a"), cursor="1.a", silence=None)
    case("data and fresh before there is a list", data(laptop) + fresh("1.a"), cursor="1.a", silence=None)
    case("nothing", "", cursor="", silence=None)
    case("silence", whole("1.a", laptop), cursor="1.a", silence=31, laptop="revoked", phone="stale", desk="stale")
    case("silence in the middle of a new list", whole("1.a", laptop) + RESET + data(phone),
         cursor="1.a", silence=31, laptop="revoked", phone="stale", desk="stale")

    case("a second connection goes on", whole("1.a", laptop), data(desk) + fresh("2.b"),
         cursor="2.b", laptop="revoked", desk="revoked")
    case("cut between reset and fresh: the old list stays", whole("1.a", laptop), RESET + data(phone),
         cursor="1.a", laptop="revoked")
    case("what was cut does not come back", whole("1.a", laptop), RESET + data(phone), fresh("1.a"),
         cursor="1.a", laptop="revoked")
    case("the cursor is refused: a new list", whole("1.a", laptop), whole("7.f", phone), cursor="7.f", phone="revoked")
    case("after a failover", whole("9.a", laptop, desk), whole("3.b", phone) + data(desk) + fresh("4.c"),
         cursor="4.c", phone="revoked", desk="revoked")
    case("cut in an event", whole("1.a", laptop) + 'data: [{"sid":"' + PHONE, data(desk) + fresh("2.b"),
         cursor="2.b", laptop="revoked", desk="revoked")

    case("comments", ": hello\n\n" + whole("1.a", laptop).replace("data", ":x\n:\ndata"), cursor="1.a", laptop="revoked")
    case("CR LF", whole("1.a", laptop).replace("\n", "\r\n"), cursor="1.a", laptop="revoked")
    case("CR alone", whole("1.a", laptop).replace("\n", "\r") + ":", cursor="1.a", laptop="revoked")
    case("line ends of all kinds", "event: reset\r\ndata: {}\n\rdata:" + compact([laptop]) + "\r\n\n"
         + fresh("1.a").replace("\n", "\r\n"), cursor="1.a", laptop="revoked")
    case("a byte order mark", "\ufeff" + whole("1.a", laptop), cursor="1.a", laptop="revoked")
    case("two lines of data", RESET + f'data: [{{"sid":\ndata: "{LAPTOP}"}}]\n\n' + fresh("1.a"),
         cursor="1.a", laptop="revoked")
    case("no space after the colon", whole("1.a", laptop).replace(": ", ":"), cursor="1.a", laptop="revoked")
    case("empty lines", "\n\n\n" + whole("1.a", laptop).replace("\n\n", "\n\n\n\n"), cursor="1.a", laptop="revoked")
    case("unknown events", "event: hello\ndata: {}\n\n" + whole("1.a", laptop) + "event: data\n" + data(phone)
         + "event: Fresh\nid: 2.b\ndata: {}\n\n", cursor="1.a", laptop="revoked")
    case("unknown fields", whole("1.a", laptop).replace("data", "retry: 9\nnote: 1\nid2: x\nword\ndata"),
         cursor="1.a", laptop="revoked")
    case("an event without data is none", whole("1.a", laptop) + RESET + data(phone) + "event: fresh\nid: 2.b\n\n",
         cursor="1.a", laptop="revoked")
    case("empty data is data", whole("1.a", laptop).replace("data: {}", "data"), cursor="1.a", laptop="revoked")
    case("a reset without data is none", whole("1.a", laptop) + "event: reset\n\n" + fresh("2.b"),
         cursor="2.b", laptop="revoked")
    case("an id with NUL is none", whole("1.a", laptop) + fresh("2\0b"), cursor="1.a", laptop="revoked")
    case("an id counts from the next fresh on", whole("1.a", laptop) + "id: 2.b\n" + data(desk),
         cursor="1.a", laptop="revoked", desk="revoked")
    case("fresh without an id keeps the last one", whole("1.a", laptop) + "event: fresh\ndata: {}\n\n",
         cursor="1.a", laptop="revoked")
    case("unknown entries", whole("1.a", {"org": ACME, "min": 3}, laptop, {}, {"sub": BOB}, {"sub": ADA, "was": "ada"}),
         cursor="1.a", laptop="revoked")
    case("entries with unknown members", whole("1.a", {"sid": LAPTOP, "why": "logout"}, {"sub": BOB, "ver": 2, "at": NOW}),
         cursor="1.a", laptop="revoked", desk="revoked")
    case("an entry with both versions", whole("1.a", {"sub": ADA, "ver": 4, "pv": 3}),
         cursor="1.a", laptop="outdated", phone="outdated")
    case("characters of several bytes", whole("1.a", {"note": "Zoë 🦊 \u2028"}, laptop), cursor="1.a", laptop="revoked")
    case("a session id whose end is all ones", whole("1.a", desk, laptop, phone),
         cursor="1.a", laptop="revoked", phone="revoked", desk="revoked")
    case("the same entry twice", whole("1.a", laptop, laptop) + data(laptop) + fresh("2.b"),
         cursor="2.b", laptop="revoked")
    case("a lower version after a higher one", whole("1.a", {"sub": BOB, "ver": 2}) + data({"sub": BOB, "ver": 1}) + fresh("2.b"),
         cursor="2.b", desk="revoked")
    return found


def packed():
    def list_of(*sids, others=(), count=None):
        marks = sorted(int(sid.replace("-", "")[16:], 16) for sid in sids)
        head = {"cursor": "1.a", "sids": len(marks) if count is None else count, "others": list(others)}
        return compact(head).encode() + b"\n" + b"".join(mark.to_bytes(8, "little") for mark in marks)

    def case(name, body, **statuses):
        expected = None if statuses.pop("refused", False) else {**dict.fromkeys(PROBES, "ok"), **statuses}
        found.append({"name": name, "base64": base64.b64encode(body).decode(), "expected": expected})

    found = []
    case("an empty list", list_of())
    case("one session", list_of(LAPTOP), laptop="revoked")
    case("several sessions", list_of(LAPTOP, PHONE, DESK, OTHER), laptop="revoked", phone="revoked", desk="revoked")
    case("other entries", list_of(PHONE, others=[{"sub": ADA, "pv": 3}, {"sub": BOB, "ver": 2}, {"org": ACME}]),
         laptop="outdated", phone="revoked", desk="revoked")
    case("a byte is missing", list_of(LAPTOP, PHONE)[:-1], refused=True)
    case("a session is missing", list_of(LAPTOP, count=2), refused=True)
    case("a page of something else", b"<!doctype html>\n<p>Sign in to this network</p>\n", refused=True)
    return found


def webhooks():
    secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    body = (
        '{"type":"user.disabled","timestamp":"2026-11-29T17:00:00Z",'
        '"data":{"userId":"0198c0de-0000-7000-8000-000000000001"}}'
    )
    key = base64.b64decode(secret[len("whsec_") :])
    signature = base64.b64encode(mac(key, f"msg_1.1764435600.{body}")).decode()
    return [
        {
            "name": "user.disabled",
            "secret": secret,
            "id": "msg_1",
            "timestamp": 1_764_435_600,
            "body": body,
            "signature": f"v1,{signature}",
        }
    ]


def main():
    vectors = {
        "keys": {
            "secrets": f"{NEW},{OLD}",
            "kids": [kid_of_secret(NEW), kid_of_secret(OLD)],
            "jwks": {"keys": [PLANTED, ED25519, P384, NOT_ON_ITS_CURVE, SIGNER_JWK, RETIRED_JWK]},
        },
        "now": NOW,
        "tokens": tokens(),
        "probes": PROBES,
        "streams": streams(),
        "packed": packed(),
        "webhooks": webhooks(),
    }
    json.dump(vectors, sys.stdout, indent=1, ensure_ascii=True)
    print()


main()
