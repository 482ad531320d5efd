"""Vectors of passlib and Werkzeug before 3. Needs passlib==1.7.4 bcrypt==4.0.1 argon2-cffi==25.1.0 Werkzeug==2.2.3."""
from common import Vectors
from passlib import hash as h
from werkzeug.security import generate_password_hash

vectors = Vectors("passlib")


def passlib(form, handler, scheme="passlib", **settings):
    vectors.add(scheme, form, handler.using(**settings).hash)


def explicit(handler, password):
    """`$5$rounds=5000$…`: what `crypt` computes is the same as without the number."""
    made = handler.using(rounds=5000).hash(password)
    return made[:3] + "rounds=5000$" + made[3:]


for rounds, salt_size in [(1, 8), (999, 9), (4321, 17), (12000, 33)]:
    for name in ["pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"]:
        passlib(name, getattr(h, name), rounds=rounds, salt_size=salt_size)
for name in ["pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"]:
    passlib(f"ldap_{name}", getattr(h, f"ldap_{name}"), rounds=777, salt_size=11, scheme="openldap")
for rounds, salt_size in [(1, 8), (400, 10), (3000, 16)]:
    passlib("cta_pbkdf2_sha1", h.cta_pbkdf2_sha1, rounds=rounds, salt_size=salt_size)
    passlib("dlitz_pbkdf2_sha1", h.dlitz_pbkdf2_sha1, rounds=rounds, salt_size=salt_size)
    passlib("grub_pbkdf2_sha512", h.grub_pbkdf2_sha512, rounds=rounds, salt_size=salt_size)
for _ in range(3):
    passlib("atlassian_pbkdf2_sha1", h.atlassian_pbkdf2_sha1)
for ident in ["2a", "2b", "2y"]:
    for rounds in [4, 6]:
        passlib(f"bcrypt {ident}", h.bcrypt, ident=ident, rounds=rounds)
for version in [1, 2]:
    for rounds in [4, 5]:
        for _ in range(3):
            passlib(f"bcrypt_sha256 v{version}", h.bcrypt_sha256, version=version, rounds=rounds)
# Version 1 may write 2a as well.
passlib("bcrypt_sha256 v1 2a", h.bcrypt_sha256, version=1, ident="2a", rounds=4)
for rounds, block, parallel, salt_size in [(2, 1, 1, 8), (5, 4, 2, 16), (9, 8, 3, 20), (12, 16, 1, 5)]:
    passlib("scrypt", h.scrypt, rounds=rounds, block_size=block, parallelism=parallel, salt_size=salt_size)
for kind in ["I", "D", "ID"]:
    for memory, time, lanes, salt_size, digest in [(64, 1, 1, 8, 16), (1000, 3, 5, 22, 48), (512, 2, 3, 16, 64)]:
        passlib(f"argon2 {kind}", h.argon2, type=kind, memory_cost=memory, time_cost=time, parallelism=lanes,
                salt_size=salt_size, digest_size=digest)
for name in ["sha256_crypt", "sha512_crypt"]:
    handler = getattr(h, name)
    for rounds in [1000, 1001, 4999, 5000, 12345]:
        for salt_size in [1, 8, 16]:
            passlib(f"{name} {rounds}", handler, scheme="crypt", rounds=rounds, salt_size=salt_size)
    # Rounds of 5000 can be written, too.
    vectors.add("crypt", f"{name} rounds written",
                lambda password, handler=handler: explicit(handler, password))
for salt_size in [1, 4, 8]:
    passlib("md5_crypt", h.md5_crypt, scheme="crypt", salt_size=salt_size)
    passlib("apr_md5_crypt", h.apr_md5_crypt, scheme="htpasswd", salt_size=salt_size)
for rounds in [7, 8, 11, 13]:
    for ident in ["P", "H"]:
        passlib(f"phpass ${ident}$ {rounds}", h.phpass, scheme="phpass", rounds=rounds, ident=ident)
for salt_size in [4, 7, 16]:
    for name in ["md5", "sha1", "sha256", "sha512"]:
        passlib(f"ldap_salted_{name}", getattr(h, f"ldap_salted_{name}"), scheme="openldap", salt_size=salt_size)
passlib("ldap_md5", h.ldap_md5, scheme="openldap")
passlib("ldap_sha1", h.ldap_sha1, scheme="openldap")
for name, settings in [("bcrypt", {"rounds": 4}), ("md5_crypt", {}), ("sha256_crypt", {"rounds": 1500}),
                       ("sha512_crypt", {"rounds": 1500})]:
    passlib(f"ldap_{name}", getattr(h, f"ldap_{name}"), scheme="openldap", **settings)
passlib("ldap_des_crypt", h.ldap_des_crypt, scheme="openldap")
for name in ["django_pbkdf2_sha256", "django_pbkdf2_sha1"]:
    passlib(name, getattr(h, name), scheme="django", rounds=50, salt_size=5)
for name in ["django_salted_sha1", "django_salted_md5"]:
    passlib(name, getattr(h, name), scheme="django", salt_size=3)
passlib("django_bcrypt", h.django_bcrypt, scheme="django", rounds=4)
passlib("django_bcrypt_sha256", h.django_bcrypt_sha256, scheme="django", rounds=4)
passlib("django_disabled", h.django_disabled, scheme="django")
for name, form in [("md5_crypt", "$md5-crypt"), ("sha256_crypt", "$sha256-crypt"), ("sha512_crypt", "$sha512-crypt")]:
    for settings in [{}] if name == "md5_crypt" else [{"rounds": 5000}, {"rounds": 1111}]:
        vectors.add("kratos", form, lambda p, n=name, f=form, s=settings: f + getattr(h, n).using(**s).hash(p)[2:])
for name in ["des_crypt", "bsdi_crypt", "bigcrypt", "crypt16", "sha1_crypt", "sun_md5_crypt"]:
    passlib(name, getattr(h, name), scheme="crypt")
for name in ["nthash", "lmhash", "mssql2000", "mssql2005", "mysql323", "mysql41", "hex_md4", "hex_md5", "hex_sha1",
             "hex_sha256", "hex_sha512", "bsd_nthash", "ldap_plaintext", "plaintext", "roundup_plaintext", "scram",
             "fshp", "oracle11"]:
    vectors.add("passlib", name, getattr(h, name).hash, case="ascii")


vectors.write("passlib")

vectors = Vectors("Werkzeug")
for method in ["pbkdf2:sha1:2600", "pbkdf2:sha256:77", "pbkdf2:sha512:1234", "pbkdf2:sha384:5", "pbkdf2:sha1:1",
               "pbkdf2:sha224:9", "pbkdf2:md5:9"]:
    for salt_length in [1, 8, 31]:
        vectors.add("werkzeug", method,
                    lambda p, m=method, n=salt_length: generate_password_hash(p, m, n))
for method in ["sha1", "sha256", "sha512", "md5"]:
    for salt_length in [4, 16]:
        vectors.add("werkzeug", f"{method} (HMAC)",
                    lambda p, m=method, n=salt_length: generate_password_hash(p, m, n))
vectors.add("werkzeug", "plain", lambda p: generate_password_hash(p, "plain"))
vectors.write("werkzeug-2")
