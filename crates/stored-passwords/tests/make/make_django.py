"""Vectors of Django. Run with each of Django==4.2.16, 5.2.8 and 6.0.1, and argon2-cffi==25.1.0, bcrypt==4.3.0."""
from common import Vectors
import django
from django.conf import settings

settings.configure()
from django.contrib.auth import hashers

vectors = Vectors("Django")


def encode(hasher, **parameters):
    """A hasher with other parameters than its own."""
    made = type(hasher.__name__, (hasher,), parameters)()
    return lambda password: made.encode(password, made.salt())


vectors.add("django", "pbkdf2_sha256 by default", encode(hashers.PBKDF2PasswordHasher))
for iterations in [1, 20000]:
    for _ in range(3):
        vectors.add("django", f"pbkdf2_sha256 {iterations}",
                    encode(hashers.PBKDF2PasswordHasher, iterations=iterations))
        vectors.add("django", f"pbkdf2_sha1 {iterations}",
                    encode(hashers.PBKDF2SHA1PasswordHasher, iterations=iterations))
for salt in ["a", "salt with spaces", "0123456789abcdef", "ü-not-ASCII", "%C3=+/"]:
    vectors.add("django", "pbkdf2_sha256 own salt",
                lambda p, s=salt: hashers.PBKDF2PasswordHasher().encode(p, s, 333))
for work, block, parallel in [(4, 1, 1), (2**11, 8, 5), (2**9, 16, 2)]:
    for _ in range(2):
        vectors.add("django", "scrypt", encode(hashers.ScryptPasswordHasher, work_factor=work, block_size=block,
                                               parallelism=parallel))
for memory, time, lanes in [(64, 1, 8), (4096, 3, 2)]:
    for _ in range(2):
        vectors.add("django", "argon2", encode(hashers.Argon2PasswordHasher, memory_cost=memory, time_cost=time,
                                               parallelism=lanes))
for rounds in [4, 6]:
    for _ in range(3):
        vectors.add("django", "bcrypt_sha256", encode(hashers.BCryptSHA256PasswordHasher, rounds=rounds))
        vectors.add("django", "bcrypt", encode(hashers.BCryptPasswordHasher, rounds=rounds), case="nfd")
vectors.add("django", "md5", encode(hashers.MD5PasswordHasher))
if hasattr(hashers, "SHA1PasswordHasher"):
    vectors.add("django", "sha1", encode(hashers.SHA1PasswordHasher))
    vectors.add("django", "unsalted_sha1", encode(hashers.UnsaltedSHA1PasswordHasher))
    vectors.add("django", "unsalted_md5", encode(hashers.UnsaltedMD5PasswordHasher))
vectors.add("django", "unusable", lambda _: hashers.make_password(None))
vectors.write(f"django-{django.VERSION[0]}")
