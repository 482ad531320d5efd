"""Vectors of Debian 12's dovecot-core 2.3.19, slapd 2.5.13 (with slapd-contrib), whois 5.5.17 (mkpasswd),
apache2-utils 2.4 and postgresql-15. Needs these packages."""
import itertools
import json
import subprocess

from common import PASSWORDS, VECTORS

rows = []
turns = itertools.cycle(PASSWORDS)


def version(package):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}", package], check=True, text=True,
                          capture_output=True).stdout


def add(package, scheme, form, command, typed=False, case=None):
    """`command` is a function of the password; `typed` passes it at standard input as well."""
    case = case or next(turns)
    password = PASSWORDS[case]
    made = subprocess.run(command(password), check=True, text=True, capture_output=True,
                          input=f"{password}\n{password}\n" if typed else None)
    lines = [line for line in made.stdout.splitlines() if line]
    rows.append({"package": version(package), "scheme": scheme, "format": form, "case": case, "password": password,
                 "stored": lines[-1].split(":", 1)[-1] if "htpasswd" in form else lines[-1]})


def dovecot(scheme, *options, times=2, case=None):
    for _ in range(times):
        add("dovecot-core", "dovecot", scheme, lambda p: ["doveadm", "pw", "-s", scheme, *options, "-p", p], case=case)


dovecot("CRYPT", "-r", "4")
for rounds in ["4", "6"]:
    dovecot("BLF-CRYPT", "-r", rounds)
for rounds in ["1", "333", "5000"]:
    dovecot("PBKDF2", "-r", rounds)
for rounds in ["1000", "6001"]:
    dovecot("SHA512-CRYPT", "-r", rounds)
    dovecot("SHA256-CRYPT", "-r", rounds)
for scheme in ["SHA", "SHA1", "SHA256", "SHA512", "SSHA", "SSHA256", "SSHA512", "SMD5", "LDAP-MD5", "PLAIN-MD5", "MD5",
               "MD5-CRYPT", "SHA.HEX", "SHA256.hex", "SHA512.b64", "SSHA256.HEX", "SSHA.hex", "SMD5.hex",
               "BLF-CRYPT.B64", "SHA256-CRYPT.HEX", "PBKDF2.b64"]:
    dovecot(scheme)
for rounds in ["4096", "10000"]:
    dovecot("SCRAM-SHA-1", "-r", rounds)
    dovecot("SCRAM-SHA-256", "-r", rounds)
dovecot("ARGON2I", "-r", "4")
for scheme in ["DES-CRYPT", "CLEAR", "PLAIN", "CLEARTEXT", "PLAIN-MD4", "CRAM-MD5", "HMAC-MD5",
               "OTP", "PLAIN-TRUNC", "CLEAR.b64"]:
    dovecot(scheme, times=1, case="ascii")
dovecot("DIGEST-MD5", "-u", "ada@example.com", times=1, case="ascii")


def slapd(form, *options):
    # `-c` stands for `-h {CRYPT}`.
    scheme = [] if form == "{CRYPT}" else ["-h", form]
    for _ in range(4):
        add("slapd", "openldap", form, lambda p: ["slappasswd", *options, *scheme, "-s", p])


for form in ["{SSHA}", "{SHA}", "{SMD5}", "{MD5}"]:
    slapd(form)
for form in ["{SSHA256}", "{SSHA384}", "{SSHA512}", "{SHA256}", "{SHA384}", "{SHA512}"]:
    slapd(form, "-o", "module-load=pw-sha2")
for form in ["{PBKDF2}", "{PBKDF2-SHA1}", "{PBKDF2-SHA256}", "{PBKDF2-SHA512}"]:
    slapd(form, "-o", "module-load=pw-pbkdf2")
slapd("{APR1}", "-o", "module-load=pw-apr1")
slapd("{BSDMD5}", "-o", "module-load=pw-apr1")
slapd("{ARGON2}", "-o", "module-load=argon2 m=1024 t=2 p=2")
slapd("{CRYPT}", "-c", "$6$rounds=1200$%.12s")
slapd("{CRYPT}", "-c", "$1$%.6s")
slapd("{CRYPT}", "-c", "$2b$04$%.22s")


def mkpasswd(method, *options, times=3, case=None):
    for _ in range(times):
        add("whois", "crypt", f"mkpasswd {method}", lambda p: ["mkpasswd", "-m", method, *options, p], case=case)


for rounds in ["1", "2", "3", "4", "5", "6"]:
    mkpasswd("yescrypt", "-R", rounds, times=6 if rounds == "1" else 1)
# Other letters than today's default: work, block size, lanes, time, and the two flavours that nobody uses.
for parameters in ["j8T", "jA.", "j85", "j75..", "j75./", "j75/.", "j75//", "j750..", "j750//", "j7T/.", "j/5", "j1.", ".75",
                   "./.", "/75", "j7k.", "j7kD", "j5lz", "j6m1", "j75/k3"]:
    add("whois", "crypt", f"yescrypt {parameters[0]}", lambda p: [
        "perl", "-e", "print crypt($ARGV[0], $ARGV[1]) . qq{\\n}", p, f"$y${parameters}$abcdefgh"])
for size in [0, 4, 8, 12, 24, 40]:
    add("whois", "crypt", "yescrypt j", lambda p: [
        "perl", "-e", "print crypt($ARGV[0], $ARGV[1]) . qq{\\n}", p, "$y$j75$" + ("abcdefgh./AB" * 4)[:size]])
mkpasswd("gost-yescrypt", "-R", "1", times=1)
mkpasswd("scrypt", times=1)
for method in ["sha512crypt", "sha256crypt"]:
    for rounds in ["1000", "2024", "9999"]:
        mkpasswd(method, "-R", rounds)
    mkpasswd(method, "-S", "saltSALT")
mkpasswd("md5crypt", "-S", "./Az09xy")
for method in ["bcrypt", "bcrypt-a"]:
    mkpasswd(method, "-R", "4")
for method in ["sunmd5", "descrypt", "bsdicrypt", "nt"]:
    mkpasswd(method, times=1, case="ascii")

for options in [["-B", "-C", "4"], ["-m"], ["-2", "-r", "1000"], ["-2"], ["-5", "-r", "2345"], ["-5"], ["-s"], ["-d"]]:
    for _ in range(2):
        add("apache2-utils", "htpasswd", f"htpasswd {' '.join(options)}",
            lambda p: ["htpasswd", "-n", "-b", *options, "ada", p])

(VECTORS / "debian.json").write_text(json.dumps(rows, indent=1) + "\n")
