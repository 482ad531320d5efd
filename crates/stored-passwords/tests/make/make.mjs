// Vectors of libraries of npm (`npm install` takes the versions of package.json), and of systems that cannot be
// installed, put together with Node's own crypto by the rules that are published.
import { createHash, createHmac, pbkdf2Sync, randomBytes, scryptSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import nodeRsArgon2 from "@node-rs/argon2";
import nodeRsBcrypt from "@node-rs/bcrypt";
import argon2 from "argon2";
import bcryptjs from "bcryptjs";
import { hashPassword } from "better-auth/crypto";
import credential from "credential";
import { FirebaseScrypt } from "firebase-scrypt";
import { encrypt as unixcrypt } from "unixcrypt";

const require = createRequire(import.meta.url);
const here = (name) => new URL(name, import.meta.url);
const passwords = JSON.parse(readFileSync(here("passwords.json")));
const cases = Object.keys(passwords);
const { dependencies } = JSON.parse(readFileSync(here("package.json")));
const installed = (name) => `${name} ${dependencies[name]}`;

class Vectors {
  rows = [];
  turn = 0;

  /** `hash` is a function of the password, and gives what is stored, or that and what belongs to it. */
  async add(source, scheme, format, hash, which) {
    const name = which ?? cases[this.turn++ % cases.length];
    const made = await hash(passwords[name]);
    const { stored, ...extra } = typeof made === "string" ? { stored: made } : made;
    const row = { package: source, scheme, format, case: name, password: passwords[name], stored };
    if (Object.keys(extra).length) row.extra = extra;
    this.rows.push(row);
  }

  write(name) {
    const ascii = JSON.stringify(this.rows, null, 1).replace(
      /[\u0080-\uffff]/g, (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"));
    writeFileSync(here(`../vectors/made/${name}.json`), ascii + "\n");
  }
}

const vectors = new Vectors();

// bcrypt
for (const name of cases) {
  await vectors.add(installed("bcryptjs"), "bcrypt", "bcryptjs", (p) => bcryptjs.hash(p, 4));
  await vectors.add(installed("@node-rs/bcrypt"), "bcrypt", "@node-rs/bcrypt", (p) => nodeRsBcrypt.hash(p, 5));
  const meteor = (p) => bcryptjs.hash(createHash("sha256").update(p).digest("hex"), 4);
  await vectors.add(`${installed("bcryptjs")} by Meteor's rule`, "meteor", "meteor", meteor);
}
for (const text of ["a".repeat(71), "a".repeat(72), "a".repeat(73), "ü".repeat(36) + "tail"]) {
  passwords[text] = text;
  await vectors.add(installed("bcryptjs"), "bcrypt", `bcryptjs of ${Buffer.byteLength(text)} bytes`,
    (p) => bcryptjs.hash(p, 4), text);
}

// argon2
const { Algorithm, Version } = { Algorithm: [0, 1, 2], Version: [0, 1] };
for (const algorithm of Algorithm) {
  for (const version of Version) {
    for (const [memoryCost, timeCost, parallelism, outputLen] of [[64, 1, 1, 16], [300, 4, 7, 20], [1024, 2, 2, 64]]) {
      await vectors.add(installed("@node-rs/argon2"), "argon2", `@node-rs/argon2 ${algorithm} v${version}`,
        (p) => nodeRsArgon2.hash(p, { algorithm, version, memoryCost, timeCost, parallelism, outputLen }));
    }
  }
}
for (const type of [argon2.argon2i, argon2.argon2d, argon2.argon2id]) {
  for (const [memoryCost, timeCost, parallelism, hashLength] of [[256, 2, 3, 24], [2048, 3, 1, 32]]) {
    for (const version of [0x10, 0x13]) {
      await vectors.add(installed("argon2"), "argon2", `argon2 ${type} v${version}`, (p) =>
        argon2.hash(p, { type, version, memoryCost, timeCost, parallelism, hashLength, salt: randomBytes(parallelism * 8) }));
    }
  }
}
await vectors.add(installed("argon2"), "argon2", "argon2 with data",
  (p) => argon2.hash(p, { memoryCost: 256, timeCost: 2, associatedData: Buffer.from("tenant 1") }));

// better-auth, Firebase, ASP.NET, unixcrypt
for (const _ of cases) await vectors.add(installed("better-auth"), "better-auth", "better-auth", hashPassword);

const firebase = async (p, memCost, rounds, separator, signer, salt) => {
  const project = { memCost, rounds, saltSeparator: separator.toString("base64"), signerKey: signer.toString("base64") };
  const text = salt.toString("base64");
  return { stored: await new FirebaseScrypt(project).hash(p, text), salt: text, ...project };
};
for (const [memCost, rounds, separator, signer, salt] of
  [[8, 8, 2, 64, 10], [4, 1, 1, 32, 16], [12, 16, 4, 64, 8], [10, 4, 0, 48, 42]]) {
  for (let i = 0; i < 3; i++) {
    const make = (p) =>
      firebase(p, memCost, rounds, randomBytes(separator), randomBytes(signer), randomBytes(salt));
    await vectors.add(installed("firebase-scrypt"), "firebase", `firebase ${memCost}/${rounds}`, make);
    await vectors.add(`${installed("firebase-scrypt")} as GoTrue writes it`, "supabase", "$fbscrypt$", async (p) => {
      const f = await make(p);
      return `$fbscrypt$v=1,n=${memCost},r=${rounds},p=1,ss=${f.saltSeparator},sk=${f.signerKey}$${f.salt}$${f.stored}`;
    });
    await vectors.add(`${installed("firebase-scrypt")} as Kratos writes it`, "kratos", "$firescrypt$", async (p) => {
      const f = await make(p);
      return `$firescrypt$ln=${memCost},r=${rounds},p=1$${f.salt}$${f.stored}$${f.saltSeparator}$${f.signerKey}`;
    });
    await vectors.add(`${installed("firebase-scrypt")} as Clerk writes it`, "clerk", "scrypt_firebase", async (p) => {
      const f = await make(p);
      return { stored: [f.stored, f.salt, f.signerKey, f.saltSeparator, rounds, memCost].join("$"),
        algorithm: "scrypt_firebase" };
    });
  }
}
const aspnet = require("aspnetcore-identity-password-hasher");
const { PasswordHasher } = require("aspnetcore-identity-password-hasher/build/PasswordHasher.js");
for (const _ of cases) {
  await vectors.add(installed("aspnetcore-identity-password-hasher"), "aspnet", "v3 (npm)", (p) => aspnet.hash(p));
  await vectors.add(installed("aspnetcore-identity-password-hasher"), "aspnet", "v2 (npm)", (p) =>
    new PasswordHasher().hashPasswordV2(p));
}
for (const kind of [5, 6]) {
  for (const rounds of [1000, 1234, 5000, 7777]) {
    await vectors.add(installed("unixcrypt"), "crypt", `unixcrypt $${kind}$`,
      (p) => unixcrypt(p, `$${kind}$rounds=${rounds}`));
    await vectors.add(installed("unixcrypt"), "crypt", `unixcrypt $${kind}$ short salt`,
      (p) => unixcrypt(p, `$${kind}$rounds=${rounds}$ab.`));
  }
  await vectors.add(installed("unixcrypt"), "crypt", `unixcrypt $${kind}$`, (p) => unixcrypt(p, `$${kind}$`));
}

// By the published rules
const own = "Node's crypto, by the rule of";
const ab64 = (bytes) => bytes.toString("base64").replace(/=/g, "").replaceAll("+", ".");
const bare = (bytes) => bytes.toString("base64").replace(/=/g, "");
for (let i = 0; i < 3; i++) {
  for (const [prf, name] of [[0, "sha1"], [1, "sha256"], [2, "sha512"]]) {
    await vectors.add(`${own} ASP.NET Core Identity`, "aspnet", `v3 prf ${prf}`, (p) => {
      const iterations = [1, 1000, 54321][i];
      const salt = randomBytes([16, 24, 32][i]);
      const header = Buffer.alloc(13, 1);
      [prf, iterations, salt.length].forEach((number, n) => header.writeUInt32BE(number, 1 + 4 * n));
      const length = [32, 20, 64][i];
      return Buffer.concat([header, salt, pbkdf2Sync(p, salt, iterations, length, name)]).toString("base64");
    });
  }
  for (const [algorithm, name, length] of
    [["pbkdf2", "sha1", 64], ["pbkdf2-sha256", "sha256", 64], ["pbkdf2-sha512", "sha512", 64],
      ["pbkdf2-sha512", "sha512", 32], ["pbkdf2-sha256", "sha256", 32], ["pbkdf2", "sha1", 20]]) {
    await vectors.add(`${own} Keycloak 26`, "keycloak", algorithm, (p) => {
      const salt = randomBytes(16);
      const hashIterations = [1, 27500, 3][i];
      const value = pbkdf2Sync(p, salt, hashIterations, length, name).toString("base64");
      return JSON.stringify({ id: "3a1b", type: "password", userLabel: "My password", createdDate: 1700000000000,
        secretData: JSON.stringify({ value, salt: salt.toString("base64"), additionalParameters: {} }),
        credentialData: JSON.stringify({ hashIterations, algorithm, additionalParameters: {} }) });
    });
  }
  for (const [type, number] of [["id", argon2.argon2id], ["i", argon2.argon2i], ["d", argon2.argon2d]]) {
    await vectors.add(`${installed("argon2")} by the rule of Keycloak 26`, "keycloak", "argon2", async (p) => {
      const salt = randomBytes(16);
      const [version, text] = [[0x13, "1.3"], [0x10, "1.0"], [0x13, "1.3"]][i];
      const options = { type: number, version, memoryCost: 512 * (i + 1), timeCost: 1 + i, parallelism: 1 + i,
        hashLength: 16 + 16 * i, salt, raw: true };
      const value = (await argon2.hash(p, options)).toString("base64");
      const additionalParameters = { hashLength: [String(options.hashLength)], memory: [String(options.memoryCost)],
        type: [type], version: [text], parallelism: [String(options.parallelism)] };
      return JSON.stringify({ type: "password",
        secretData: JSON.stringify({ value, salt: salt.toString("base64"), additionalParameters: {} }),
        credentialData: JSON.stringify({ hashIterations: options.timeCost, algorithm: "argon2", additionalParameters }) });
    });
  }
  for (const [name, length] of [["sha1", 20], ["sha256", 32], ["sha512", 64], ["sha384", 48], ["sha256", 65]]) {
    await vectors.add(`${own} Kratos v26.2`, "kratos", `$pbkdf2-${name}$`, (p) => {
      const salt = randomBytes(8 + i);
      const iterations = [1, 4096, 77][i];
      return `$pbkdf2-${name}$i=${iterations},l=${length}$${bare(salt)}$` +
        bare(pbkdf2Sync(p, salt, iterations, length, name));
    });
  }
  await vectors.add(`${own} Kratos v26.2`, "kratos", "$scrypt$", (p) => {
    const [N, r, p_, length] = [[2, 8, 1, 32], [4096, 4, 2, 64], [256, 1, 3, 17]][i];
    const salt = randomBytes(16 + i);
    return `$scrypt$ln=${N},r=${r},p=${p_}$${salt.toString("base64")}$` +
      scryptSync(p, salt, length, { N, r, p: p_ }).toString("base64");
  });
  for (const name of ["sha1", "sha256", "sha512", "md5"]) {
    for (const recipe of ["{SALT}{PASSWORD}", "{PASSWORD}{SALT}", "{SALT}${PASSWORD}", "x{PASSWORD}y{SALT}z", "{PASSWORD}"]) {
      await vectors.add(`${own} Kratos v26.2`, "kratos", `$${name}$pf=`, (p) => {
        const salt = randomBytes(6).toString("hex");
        const text = recipe.replace("{SALT}", () => salt).replace("{PASSWORD}", () => p);
        return `$${name}$pf=${Buffer.from(recipe).toString("base64")}$${Buffer.from(salt).toString("base64")}$` +
          createHash(name).update(text).digest("base64");
      });
    }
    await vectors.add(`${own} Kratos v26.2`, "kratos", `$hmac-${name}$`, (p) => {
      const hex = createHmac(name, `key ${i}`).update(p).digest("hex");
      return `$hmac-${name}$${Buffer.from(hex).toString("base64")}$${Buffer.from(`key ${i}`).toString("base64")}`;
    });
  }
  await vectors.add(`${own} Kratos v26.2`, "kratos", "$md5$", (p) => `$md5$${createHash("md5").update(p).digest("base64")}`);
  await vectors.add(`${own} Payload 3.90.2`, "payload", "new", (p) => {
    const salt = randomBytes(32).toString("hex");
    return { stored: `pbkdf2-sha256-v1:${pbkdf2Sync(p, salt, 600000, 32, "sha256").toString("hex")}`, salt };
  });
  await vectors.add(`${own} Payload 3.50.0`, "payload", "old", (p) => {
    const salt = randomBytes(32).toString("hex");
    return { stored: pbkdf2Sync(p, salt, 25000, 512, "sha256").toString("hex"), salt };
  });
  for (const [name, length] of [["SHA256", 32], ["SHA512", 64]]) {
    await vectors.add(`${own} Mattermost 11`, "mattermost", "mattermost", (p) => {
      const salt = randomBytes(16);
      const rounds = [1, 60000, 99][i];
      return `$pbkdf2$f=${name},w=${rounds},l=${length}$${bare(salt)}$` +
        bare(pbkdf2Sync(p, salt, rounds, length, name.toLowerCase()));
    });
  }
  await vectors.add(`${own} Discourse`, "discourse", "discourse", (p) => {
    const salt = randomBytes(16).toString("hex");
    const rounds = [64000, 6000, 1][i];
    return { stored: pbkdf2Sync(p, salt, rounds, 32, "sha256").toString("hex"), salt,
      algorithm: `$pbkdf2-sha256$i=${rounds},l=32$` };
  });
  await vectors.add(`${own} Gitea`, "gitea", "pbkdf2", (p) => {
    const salt = randomBytes(16);
    const [rounds, length] = [[10000, 50], [50000, 50], [320000, 50]][i];
    return { stored: pbkdf2Sync(p, salt, rounds, length, "sha256").toString("hex"), salt: salt.toString("hex"),
      algorithm: `pbkdf2$${rounds}$${length}` };
  });
  await vectors.add(`${own} Gitea`, "gitea", "scrypt", (p) => {
    const salt = randomBytes(16);
    const [N, r, parallel, length] = [[1024, 16, 2, 50], [64, 8, 1, 50], [2048, 4, 3, 33]][i];
    return { stored: scryptSync(p, salt, length, { N, r, p: parallel }).toString("hex"), salt: salt.toString("hex"),
      algorithm: `scrypt$${N}$${r}$${parallel}$${length}` };
  });
  await vectors.add(`${installed("argon2")} by the rule of Gitea`, "gitea", "argon2", async (p) => {
    const salt = randomBytes(16);
    const [timeCost, memoryCost, parallelism, hashLength] = [[2, 2048, 8, 50], [1, 64, 1, 50], [3, 333, 2, 24]][i];
    const hash = await argon2.hash(p, { timeCost, memoryCost, parallelism, hashLength, salt, raw: true });
    return { stored: hash.toString("hex"), salt: salt.toString("hex"),
      algorithm: `argon2$${timeCost}$${memoryCost}$${parallelism}$${hashLength}` };
  });
  await vectors.add(`${own} Grafana`, "grafana", "grafana", (p) => {
    const salt = randomBytes(5).toString("hex");
    return { stored: pbkdf2Sync(p, salt, 10000, 50, "sha256").toString("hex"), salt };
  });
  await vectors.add(`${own} Odoo`, "odoo", "odoo", (p) => {
    const salt = randomBytes(16);
    const rounds = [25000, 35000, 1][i];
    return `$pbkdf2-sha512$${rounds}$${ab64(salt)}$${ab64(pbkdf2Sync(p, salt, rounds, 64, "sha512"))}`;
  });
  await vectors.add(`${own} Spring Security 5.8`, "spring", "{pbkdf2@SpringSecurity_v5_8}", (p) => {
    const salt = randomBytes(16);
    return "{pbkdf2@SpringSecurity_v5_8}" +
      Buffer.concat([salt, pbkdf2Sync(p, salt, 310000, 32, "sha256")]).toString("hex");
  });
  await vectors.add(`${own} Spring Security 5.5`, "spring", "{pbkdf2}", (p) => {
    const salt = randomBytes(8);
    return "{pbkdf2}" + Buffer.concat([salt, pbkdf2Sync(p, salt, 185000, 32, "sha1")]).toString("hex");
  });
  await vectors.add(`${own} Spring Security 5`, "spring", "{scrypt}", (p) => {
    const [log, r, parallel, size, id] =
      [[14, 8, 1, 64, "scrypt"], [16, 8, 1, 16, "scrypt@SpringSecurity_v5_8"], [10, 4, 2, 64, "scrypt"]][i];
    const salt = randomBytes(size);
    const key = scryptSync(p, salt, 32, { N: 2 ** log, r, p: parallel, maxmem: 2 ** 28 });
    return `{${id}}$${((log << 16) | (r << 8) | parallel).toString(16)}$${salt.toString("base64")}$` +
      key.toString("base64");
  });
  for (const [id, name] of [["MD5", "md5"], ["SHA-1", "sha1"], ["SHA-256", "sha256"]]) {
    await vectors.add(`${own} Spring Security 5`, "spring", `{${id}}`, (p) => {
      const salt = i === 0 ? "" : `{${randomBytes(16).toString("base64")}}`;
      return `{${id}}${salt}${createHash(name).update(p + salt).digest("hex")}`;
    });
  }
  await vectors.add(`${own} Spring Security 5`, "spring", "{sha256}", (p) => {
    const salt = randomBytes(8);
    let digest = Buffer.concat([salt, Buffer.from(p)]);
    for (let round = 0; round < 1024; round++) digest = createHash("sha256").update(digest).digest();
    return `{sha256}${Buffer.concat([salt, digest]).toString("hex")}`;
  });
  for (const id of ["bcrypt", ""]) {
    await vectors.add(`${installed("bcryptjs")} as Spring Security writes it`, "spring", "{bcrypt}",
      async (p) => (id ? `{${id}}` : "") + await bcryptjs.hash(p, 4));
  }
  await vectors.add(`${installed("argon2")} as Spring Security writes it`, "spring", "{argon2}",
    async (p) => `{argon2@SpringSecurity_v5_8}` + await argon2.hash(p, { memoryCost: 1 << 10, timeCost: 2, parallelism: 1 }));
}
await vectors.add(`${own} Spring Security 5`, "spring", "{ldap}", (p) => {
  const salt = randomBytes(8);
  return `{ldap}{SSHA}${Buffer.concat([createHash("sha1").update(p).update(salt).digest(), salt]).toString("base64")}`;
});
await vectors.add(`${own} Spring Security 5`, "spring", "{noop}", (p) => `{noop}${p}`);
await vectors.add(installed("credential"), "auto", "credential", (p) => credential({ work: 0.01 }).hash(p));

// Clerk: the hasher says how the digest is to be read
const clerk = (algorithm, hash) =>
  vectors.add(`${own} Clerk's hashers`, "clerk", algorithm, async (p) => ({ stored: await hash(p), algorithm }));
for (let i = 0; i < 2; i++) {
  const rounds = [1000, 26000][i];
  const salt = randomBytes(12);
  const text = salt.toString("base64");
  const hex = salt.toString("hex");
  const hashed = (p, s, length, name, encoding) => pbkdf2Sync(p, s, rounds, length, name).toString(encoding);
  await clerk("bcrypt", (p) => bcryptjs.hash(p, 4));
  await clerk("argon2id", (p) => argon2.hash(p, { memoryCost: 512, timeCost: 2, parallelism: 1 }));
  await clerk("argon2i", (p) => argon2.hash(p, { type: argon2.argon2i, memoryCost: 512, timeCost: 2, parallelism: 1 }));
  await clerk("bcrypt_sha256_django",
    async (p) => `bcrypt_sha256$${await bcryptjs.hash(createHash("sha256").update(p).digest("hex"), 4)}`);
  await clerk("pbkdf2_sha256", (p) => `pbkdf2_sha256$${rounds}$${text}$${hashed(p, salt, 32, "sha256", "base64")}`);
  await clerk("pbkdf2_sha256_django",
    (p) => `pbkdf2_sha256$${rounds}$${text}$${hashed(p, text, 32, "sha256", "base64")}`);
  await clerk("pbkdf2_sha1", (p) => `pbkdf2_sha1$${rounds}$${hex}$${hashed(p, salt, 32, "sha1", "hex")}`);
  await clerk("pbkdf2_sha1", (p) => `pbkdf2_sha1$${rounds}$${hex}$${hashed(p, salt, 20, "sha1", "hex")}$20`);
  await clerk("pbkdf2_sha1", (p) => `pbkdf2_sha1$${rounds}$plain-${text}$${hashed(p, `plain-${text}`, 32, "sha1", "hex")}`);
  await clerk("pbkdf2_sha512", (p) => `pbkdf2_sha512$${rounds}$${text}$${hashed(p, text, 64, "sha512", "hex")}`);
  await clerk("pbkdf2_sha512_hex", (p) => `pbkdf2_sha512_hex$${rounds}$${hex}$${hashed(p, salt, 64, "sha512", "hex")}`);
  await clerk("scrypt_werkzeug", (p) =>
    `scrypt:1024:8:1$${text}$${scryptSync(p, text, 64, { N: 1024, r: 8, p: 1 }).toString("hex")}`);
  const pepper = "Pfeffer-é";
  await vectors.add(`${own} Clerk's hashers`, "clerk", "bcrypt_peppered", async (p) =>
    ({ stored: `${await bcryptjs.hash(p + pepper, 4)}$${pepper}`, algorithm: "bcrypt_peppered", pepper }));
  await clerk("md5", (p) => createHash("md5").update(p).digest("hex"));
  await clerk("sha256", (p) => createHash("sha256").update(p).digest("hex"));
  await clerk("ldap_ssha", (p) =>
    `{SSHA}${Buffer.concat([createHash("sha1").update(p).update(salt).digest(), salt]).toString("base64")}`);
  await clerk("sha512_symfony", (p) => {
    const salted = Buffer.from(`${p}{${hex}}`);
    let digest = createHash("sha512").update(salted).digest();
    for (let round = 1; round < 5000; round++) {
      digest = createHash("sha512").update(Buffer.concat([digest, salted])).digest();
    }
    return `sha512_symfony$5000$${hex}$${digest.toString("base64")}`;
  });
}

// Auth0 and Logto: the row says what was computed
const auth0 = (format, hash) => vectors.add(`${own} Auth0's user import`, "auth0", format,
  async (p) => JSON.stringify(await hash(p)));
for (let i = 0; i < 2; i++) {
  const salt = randomBytes(9);
  await auth0("bcrypt", async (p) => ({ algorithm: "bcrypt", hash: { value: await bcryptjs.hash(p, 4) } }));
  await auth0("argon2", async (p) => ({ algorithm: "argon2",
    hash: { value: await argon2.hash(p, { memoryCost: 512, timeCost: 2, parallelism: 1 }), encoding: "utf8" } }));
  await auth0("pbkdf2", (p) => ({ algorithm: "pbkdf2", hash: { encoding: "utf8",
    value: `$pbkdf2-sha512$i=1000,l=64$${bare(salt)}$${bare(pbkdf2Sync(p, salt, 1000, 64, "sha512"))}` } }));
  await auth0("ldap", (p) => ({ algorithm: "ldap", hash: { encoding: "utf8", value:
    `{SSHA}${Buffer.concat([createHash("sha1").update(p).update(salt).digest(), salt]).toString("base64")}` } }));
  for (const name of ["md5", "sha1", "sha256", "sha512"]) {
    for (const encoding of ["hex", "base64"]) {
      await auth0(name, (p) => ({ algorithm: name,
        hash: { value: createHash(name).update(p).digest(encoding), encoding } }));
      await auth0(name, (p) => ({ algorithm: name,
        hash: { value: createHash(name).update(salt).update(p).digest(encoding), encoding },
        salt: { value: salt.toString("base64"), encoding: "base64", position: "prefix" } }));
      await auth0(name, (p) => ({ algorithm: name,
        hash: { value: createHash(name).update(p).update(salt.toString("hex")).digest(encoding), encoding },
        salt: { value: salt.toString("hex"), position: "suffix" } }));
      await auth0(`hmac ${name}`, (p) => ({ algorithm: "hmac", hash: { encoding, digest: name,
        value: createHmac(name, salt).update(p).digest(encoding),
        key: { value: salt.toString("hex"), encoding: "hex" } } }));
    }
  }
  await auth0("scrypt", (p) => ({ algorithm: "scrypt", hash: { encoding: "base64", keylen: 48, cost: 512, blockSize: 8,
    parallelization: 1 + i, value: scryptSync(p, salt, 48, { N: 512, r: 8, p: 1 + i }).toString("base64") },
    salt: { value: salt.toString("hex"), encoding: "hex" } }));
}
await auth0("md4", () => ({ algorithm: "md4", hash: { value: "ac93d8054385c38b1f436e15e215ae53", encoding: "hex" } }));
const logto = (format, hash) => vectors.add(`${own} Logto's legacy passwords`, "logto", format,
  (p) => JSON.stringify(hash(p)));
for (const name of ["md5", "sha1", "sha256", "sha384", "sha512"]) {
  await logto(name, (p) => [name, ["salt-1", "@"], createHash(name).update("salt-1" + p).digest("hex")]);
  await logto(name, (p) => [name, ["@", "-x-", "salt"], createHash(name).update(`${p}-x-salt`).digest("hex")]);
}
for (const [name, length] of [["sha1", 20], ["sha256", 32], ["sha512", 20]]) {
  await logto("pbkdf2", (p) =>
    ["pbkdf2", ["the salt", "1000", String(length), name, "@"], pbkdf2Sync(p, "the salt", 1000, length, name).toString("hex")]);
}

await logto("pbkdf2 hex:", (p) => ["pbkdf2", ["hex:80ff00414243", "77", "32", "sha256", "@"],
  pbkdf2Sync(p, Buffer.from("80ff00414243", "hex"), 77, 32, "sha256").toString("hex")]);
await vectors.add(`${installed("firebase-scrypt")} as Logto writes it`, "logto", "firebase-scrypt", async (p) => {
  const f = await firebase(p, 10, 4, randomBytes(1), randomBytes(64), randomBytes(12));
  return JSON.stringify(["firebase-scrypt", [f.salt, f.signerKey, f.saltSeparator, "4", "10", "@"], f.stored]);
});

// Tables of one's own, with a recipe as their scheme
const table = (recipe, hash) => vectors.add("Node's crypto", recipe, recipe, async (p, salt) => hash(p, salt));
const sum = (name, ...parts) => createHash(name).update(parts.join("")).digest("hex");
for (let i = 0; i < 3; i++) {
  const bytes = randomBytes([8, 16, 24][i]);
  const salt = bytes.toString("hex");
  await table("md5(password)", (p) => sum("md5", p));
  await table("sha512(password)", (p) => createHash("sha512").update(p).digest("base64"));
  await table("sha256(salt + password)", (p) => ({ stored: sum("sha256", salt, p), salt }));
  await table("sha1(password+salt) base64", (p) => ({ stored: createHash("sha1").update(p + salt).digest("base64"), salt }));
  await table("sha384(hex(salt) + password)",
    (p) => ({ stored: createHash("sha384").update(bytes).update(p).digest("hex"), salt }));
  await table("sha1(salt + sha1(password))", (p) => ({ stored: sum("sha1", salt, sum("sha1", p)), salt }));
  await table("md5(md5(md5(password)) + salt)", (p) => ({ stored: sum("md5", sum("md5", sum("md5", p)), salt), salt }));
  await table("sha512('the site:' + password + ':' + salt)",
    (p) => ({ stored: sum("sha512", "the site:", p, ":", salt), salt }));
  await table("salt$hash sha256(salt + password)", (p) => `${salt}$${sum("sha256", salt, p)}`);
  await table("hmac-sha512(salt, password)",
    (p) => ({ stored: createHmac("sha512", salt).update(p).digest("hex"), salt }));
  await table("hmac-sha256(base64(salt), password) base64", (p) => ({
    stored: createHmac("sha256", bytes).update(p).digest("base64"), salt: bytes.toString("base64") }));
  await table("salt:hash pbkdf2-sha512(password, salt, 1000)",
    (p) => `${salt}:${pbkdf2Sync(p, salt, 1000, 64, "sha512").toString("hex")}`);
  await table("pbkdf2-sha256(password, hex(salt), 5000) base64",
    (p) => ({ stored: pbkdf2Sync(p, bytes, 5000, 24, "sha256").toString("base64"), salt }));
  await table("hash.salt scrypt(password, salt, 16384, 8, 1) hex",
    (p) => `${scryptSync(p, salt, 64).toString("hex")}.${salt}`);
  await table("salt:hash scrypt(password, base64(salt), 1024, 8, 2) base64", (p) =>
    `${bytes.toString("base64")}:${scryptSync(p, bytes, 32, { N: 1024, r: 8, p: 2 }).toString("base64")}`);
  await table("bcrypt(md5(password))", (p) => bcryptjs.hash(sum("md5", p), 4));
  await table("argon2(sha256(password))",
    (p) => argon2.hash(sum("sha256", p), { memoryCost: 256, timeCost: 2, parallelism: 1 }));
}

vectors.write("node");
