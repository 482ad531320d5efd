"""Vectors of Werkzeug 3, pwdlib and Flask-Security. Needs Werkzeug==3.0.6 pwdlib[argon2,bcrypt]==0.2.1
libpass==1.9.1 Flask-Security==5.6.2 bcrypt==4.3.0."""
from common import Vectors
from flask import Flask
from flask_security import RoleMixin, Security, UserDatastore, UserMixin, hash_password
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from werkzeug.security import generate_password_hash

vectors = Vectors("Werkzeug")
for method in ["scrypt:128:1:1", "scrypt:2048:8:3", "scrypt:512:24:1", "pbkdf2:sha1:15000", "pbkdf2:sha512:600",
               "pbkdf2:sha384:81", "pbkdf2:sha256:1"]:
    for salt_length in [1, 8, 40]:
        vectors.add("werkzeug", method,
                    lambda p, m=method, n=salt_length: generate_password_hash(p, m, n))
vectors.write("werkzeug-3")

vectors = Vectors("pwdlib")
for memory, time, lanes, salt, length in [(64, 2, 1, 8, 16), (2048, 1, 3, 24, 33)]:
    hasher = Argon2Hasher(memory_cost=memory, time_cost=time, parallelism=lanes, salt_len=salt, hash_len=length)
    for _ in range(2):
        vectors.add("argon2", "pwdlib argon2", hasher.hash)
for prefix in ["2a", "2b"]:
    for case in ["nonascii", "spaces"]:
        vectors.add("bcrypt", "pwdlib bcrypt", BcryptHasher(rounds=4, prefix=prefix).hash, case=case)
vectors.write("pwdlib")

vectors = Vectors("Flask-Security")


class Role(RoleMixin):
    """Flask-Security wants to see the columns that it needs."""
    permissions = None


class User(UserMixin):
    fs_uniquifier = active = None


PEPPER = "146585145368132386173505678016728509634 ü"
for form, settings in [
    ("argon2", {"argon2__memory_cost": 128, "argon2__rounds": 2, "argon2__parallelism": 1}),
    ("bcrypt", {"bcrypt__rounds": 4}),
    ("pbkdf2_sha512", {"pbkdf2_sha512__rounds": 1234}),
    ("pbkdf2_sha256", {"pbkdf2_sha256__rounds": 77}),
    ("sha512_crypt", {"sha512_crypt__rounds": 1000}),
    ("sha256_crypt", {"sha256_crypt__rounds": 2000}),
]:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="not used", SECURITY_PASSWORD_SALT=PEPPER, SECURITY_PASSWORD_HASH=form,
                      SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=settings,
                      SECURITY_PASSWORD_SCHEMES=[form, "plaintext"], SECURITY_DEPRECATED_PASSWORD_SCHEMES=[])
    Security(app, UserDatastore(User, Role))
    with app.app_context():
        for _ in range(5):
            vectors.add("flask-security", form, hash_password, extra={"pepper": PEPPER})
vectors.write("flask-security")
