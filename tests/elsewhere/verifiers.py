"""The libraries and servers of the page, and what each needs."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import servers
from bench import Bench
from programs import c, go, interpreted, program
from settings import Ask, Settings
from tokens import HS512


@dataclass(frozen=True)
class Verifier:
    name: str
    files: tuple[str, ...]
    """The blocks of the page that it tests."""
    algorithms: tuple[str, ...]
    start: Callable[[Bench, Settings], AbstractContextManager[Ask]]
    packages: str = ""
    """Debian's, where they are not those that the runner itself needs."""
    probe: tuple[str, ...] = ("true",)
    """A command that succeeds if the packages are there."""
    takes_one_key: tuple[str, ...] = ()
    """The algorithms for which it is given one key only."""
    accepts: tuple[str, ...] = ()
    """Cases that it accepts and others refuse. The page says why that is no harm."""


def _of_library(name: str, start, hs256: str, es256: str, **others) -> list[Verifier]:
    """A program for each of the two algorithms."""
    return [
        Verifier(f"{name}, {algorithm}", (file,), (algorithm,), start(file), **others)
        for file, algorithm in ((hs256, "HS256"), (es256, "ES256"))
    ]


def _both(name: str, files: tuple[str, ...], start, **others) -> list[Verifier]:
    """One program that verifies by what it is given."""
    return [Verifier(f"{name}, {algorithm}", files, (algorithm,), start, **others) for algorithm in ("HS256", "ES256")]


VERIFIERS = [
    *_of_library("jose", interpreted("node"), "jose-hs256.mjs", "jose-es256.mjs"),
    Verifier(
        "jose, both",
        ("jose-both.mjs",),
        ("HS256", "ES256"),
        program("node", "jose-both.mjs"),
        takes_one_key=("HS256",),
    ),
    *_of_library("jsonwebtoken", interpreted("node"), "jsonwebtoken-hs256.mjs", "jsonwebtoken-es256.mjs"),
    *_of_library("PyJWT", interpreted(sys.executable), "pyjwt-hs256.py", "pyjwt-es256.py"),
    *_of_library(
        "golang-jwt",
        go,
        "golang-jwt-hs256.go",
        "golang-jwt-es256.go",
        packages="golang-go golang-github-golang-jwt-jwt-dev",
        probe=("sh", "-c", "command -v go && test -d /usr/share/gocode/src/github.com/golang-jwt/jwt"),
    ),
    *_of_library(
        "ruby-jwt",
        interpreted("ruby"),
        "ruby-jwt-hs256.rb",
        "ruby-jwt-es256.rb",
        packages="ruby ruby-jwt",
        probe=("ruby", "-e", 'require "jwt"'),
    ),
    *_of_library(
        "Crypt::JWT",
        interpreted("perl"),
        "crypt-jwt-hs256.pl",
        "crypt-jwt-es256.pl",
        packages="libcrypt-jwt-perl",
        probe=("perl", "-MCrypt::JWT", "-e", "1"),
    ),
    *_both(
        "libjwt",
        ("libjwt.c",),
        c("libjwt.c"),
        packages="gcc libjwt-dev",
        probe=("sh", "-c", "command -v cc && test -e /usr/include/jwt.h"),
    ),
    *_of_library(
        "HAProxy",
        servers.haproxy,
        "haproxy-hs256.cfg",
        "haproxy-es256.cfg",
        packages="haproxy",
        probe=("sh", "-c", "command -v haproxy"),
        takes_one_key=("HS256", "ES256"),
    ),
    *_both(
        "njs",
        ("njs/hallpass.js", "njs/server.conf"),
        servers.njs,
        packages="libnginx-mod-http-js",
        probe=("sh", "-c", f"command -v nginx && test -e {servers.NJS}"),
    ),
    *_of_library(
        "mod_auth_openidc",
        servers.mod_auth_openidc,
        "mod-auth-openidc-hs256.conf",
        "mod-auth-openidc-es256.conf",
        packages="libapache2-mod-auth-openidc",
        probe=("sh", "-c", f"command -v apache2 && test -e {servers.APACHE_MODULES}/mod_auth_openidc.so"),
        takes_one_key=("HS256",),
        accepts=(HS512,),
    ),
]
