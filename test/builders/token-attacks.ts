/** Tokens that must not let anybody in: forged before the signature, or wrong behind a good one. */
import { createHmac } from "node:crypto";
import { CompactEncrypt } from "jose";
import { base64url, bytesOf, makeClaims, signToken, type Claims, type TokenSigner } from "./tokens.ts";

export interface Signers {
  readonly hmac: TokenSigner;
  readonly ed: TokenSigner;
  /** Of another app. */
  readonly stranger: TokenSigner;
  readonly rootKey: string;
}

export interface Attack {
  readonly name: string;
  readonly token: (signers: Signers) => Promise<string> | string;
}

const attack = (name: string, token: Attack["token"]): Attack => ({ name, token });

/** Signed by hand, because no library would. */
function forge(header: object | string, claims: Claims, sign: (input: string) => string): string {
  const head = base64url(typeof header === "string" ? header : JSON.stringify(header));
  const input = `${head}.${base64url(JSON.stringify(claims))}`;
  return `${input}.${sign(input)}`;
}

const hmacWith =
  (secret: string | Uint8Array, digest = "sha256") =>
  (input: string): string =>
    createHmac(digest, secret).update(input).digest("base64url");

const forgedHmac = (name: string, header: (signers: Signers) => object | string): Attack =>
  attack(name, (signers) => forge(header(signers), makeClaims(), hmacWith(signers.hmac.secret as Uint8Array)));

const withHeader = (name: string, more: Record<string, unknown>): Attack =>
  forgedHmac(name, ({ hmac }) => ({ alg: "HS256", kid: hmac.id, ...more }));

const altered = (name: string, alter: (parts: readonly string[]) => string): Attack =>
  attack(name, async ({ hmac }) => alter((await signToken(hmac)).split(".")));

const flip = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

/** Each of three parts, each refused with the very same bytes. */
export const FORGERIES: readonly Attack[] = [
  attack("alg none", ({ hmac }) => forge({ alg: "none", kid: hmac.id }, makeClaims(), () => "AA")),
  attack("alg None", ({ hmac }) => forge({ alg: "None", kid: hmac.id }, makeClaims(), () => "AA")),
  attack("the public key as a secret", ({ ed }) =>
    forge({ alg: "HS256", kid: ed.id }, makeClaims(), hmacWith(Buffer.from(ed.publicKey!.x!, "base64url"))),
  ),
  attack("the public JWK's text as a secret", ({ ed }) =>
    forge({ alg: "HS256", kid: ed.id }, makeClaims(), hmacWith(JSON.stringify(ed.publicKey))),
  ),
  attack("an EdDSA signature under an HS256 key", ({ hmac, ed }) => signToken({ ...ed, id: hmac.id })),
  attack("an HS256 signature under an EdDSA key", ({ hmac, ed }) => signToken({ ...hmac, id: ed.id })),
  attack("EdDSA announced, HS256 used", ({ ed, hmac }) =>
    forge({ alg: "EdDSA", kid: ed.id }, makeClaims(), hmacWith(hmac.secret as Uint8Array)),
  ),
  ...["384", "512"].map((bits) =>
    attack(`HS${bits} with the right secret`, ({ hmac }) =>
      forge({ alg: `HS${bits}`, kid: hmac.id }, makeClaims(), hmacWith(hmac.secret as Uint8Array, `sha${bits}`)),
    ),
  ),
  attack("another secret", ({ hmac }) => signToken({ ...hmac, secret: bytesOf("x".repeat(32)) })),
  attack("an empty secret", ({ hmac }) => forge({ alg: "HS256", kid: hmac.id }, makeClaims(), hmacWith(""))),
  attack("the API key as a secret", ({ hmac }) =>
    forge({ alg: "HS256", kid: hmac.id }, makeClaims(), hmacWith(hmac.key)),
  ),
  attack("the kid of another app's key", ({ hmac, stranger }) => signToken({ ...hmac, id: stranger.id })),
  attack("the kid root with a key's secret", ({ hmac }) => signToken({ ...hmac, id: "root" })),
  attack("the kid root with the root key itself as a secret", ({ rootKey }) =>
    forge({ alg: "HS256", kid: "root" }, makeClaims(), hmacWith(rootKey)),
  ),
  ...["AAAAAAAAAAAA", "../../x", "' OR 1=1 --", "", "a".repeat(2_000), "__proto__", 7, null, ["root"]].map((kid) =>
    withHeader(`the kid ${JSON.stringify(kid).slice(0, 20)}`, { kid }),
  ),
  forgedHmac("no kid", () => ({ alg: "HS256" })),
  withHeader("a jku", { jku: "https://attacker.example/keys.json" }),
  withHeader("a jwk", { jwk: { kty: "oct", k: "AAAA" } }),
  withHeader("an x5u", { x5u: "https://attacker.example/chain.pem" }),
  withHeader("an x5c", { x5c: ["AAAA"] }),
  withHeader("a crit", { crit: ["exp"] }),
  withHeader("an unencoded payload", { b64: false, crit: ["b64"] }),
  withHeader("a nested token", { cty: "JWT" }),
  withHeader("an enc", { enc: "A256GCM" }),
  withHeader("a zip", { zip: "DEF" }),
  withHeader("another typ", { typ: "at+jwt" }),
  forgedHmac("a list for a header", () => []),
  forgedHmac("a header that is no JSON", () => "{"),
  forgedHmac("a deep header", ({ hmac }) => `{"alg":"HS256","kid":"${hmac.id}","typ":${"[".repeat(5_000)}`),
  altered("an altered payload", ([header, payload, signature]) => `${header}.${flip(payload!, 10)}.${signature}`),
  altered("other claims under the signature", ([header, , signature]) => {
    return `${header}.${base64url(JSON.stringify(makeClaims({ scopes: ["publish:**", "manage:**"] })))}.${signature}`;
  }),
  altered("an altered signature", ([header, payload, signature]) => `${header}.${payload}.${flip(signature!, 3)}`),
  altered("half a signature", ([header, payload, signature]) => `${header}.${payload}.${signature!.slice(0, 20)}`),
  altered("an altered header", ([header, payload, signature]) => `${flip(header!, 12)}.${payload}.${signature}`),
  altered("padding", ([header, payload, signature]) => `${header}.${payload}.${signature}=`),
  altered("the other base64", ([header, payload]) => `${header}.${payload}.${"+/".repeat(21)}A`),
  altered("no signature", ([header, payload]) => `${header}.${payload}.`),
];

/** What does not even look like a token. */
export const NO_TOKENS: readonly Attack[] = [
  altered("no payload", ([header, , signature]) => `${header}..${signature}`),
  altered("two parts", ([header, payload]) => `${header}.${payload}`),
  altered("four parts", (parts) => `${parts.join(".")}.AA`),
  altered("a part before them", (parts) => `.${parts.join(".")}`),
  attack("an encrypted token", async ({ hmac }) => {
    const header = { alg: "dir", enc: "A256GCM", kid: hmac.id } as const;
    return new CompactEncrypt(bytesOf(JSON.stringify(makeClaims())))
      .setProtectedHeader(header)
      .encrypt(hmac.secret as Uint8Array);
  }),
  attack("a token in JSON", async ({ hmac }) => {
    const [header, payload, signature] = (await signToken(hmac)).split(".");
    return JSON.stringify({ protected: header, payload, signature });
  }),
];

export interface WrongClaims {
  readonly name: string;
  /** As `signToken` takes them. */
  readonly claims: () => Claims | string | Uint8Array;
  /** Where the refusal points. */
  readonly pointer: string | null;
}

const wrong = (name: string, more: Claims, pointer: string): WrongClaims => ({
  name,
  claims: () => makeClaims(more),
  pointer,
});

const wrongText = (name: string, claims: () => string | Uint8Array, pointer: string | null = null): WrongClaims => ({
  name,
  claims,
  pointer,
});

const fromNow = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

export const WRONG_CLAIMS: readonly WrongClaims[] = [
  wrong("another issuer", { iss: "https://attacker.example" }, "/iss"),
  wrong("no issuer", { iss: undefined }, "/iss"),
  wrong("another app", { aud: "/apps/stranger" }, "/aud"),
  wrong("an app that is not there", { aud: "/apps/nobody" }, "/aud"),
  wrong("a list of apps", { aud: ["/apps/default"] }, "/aud"),
  wrong("no audience", { aud: undefined }, "/aud"),
  wrong("no end", { exp: undefined }, "/exp"),
  wrong("an end in words", { exp: "tomorrow" }, "/exp"),
  wrong("an end before 1970", { exp: -1 }, "/exp"),
  wrong("an endless life", { exp: Number.MAX_SAFE_INTEGER }, "/exp"),
  wrong("a life of an hour and a second", { iat: fromNow(0), exp: fromNow(3_601) }, "/exp"),
  wrong("an end before its beginning", { iat: fromNow(30), exp: fromNow(20) }, "/exp"),
  wrong("no beginning", { iat: undefined }, "/iat"),
  wrong("a beginning in words", { iat: "now" }, "/iat"),
  wrong("a beginning in two minutes", { iat: fromNow(120), exp: fromNow(300) }, "/iat"),
  wrong("a first use in a minute", { nbf: fromNow(60) }, "/nbf"),
  wrong("no id", { jti: undefined }, "/jti"),
  wrong("an id of 65 characters", { jti: "j".repeat(65) }, "/jti"),
  wrong("an id with a line feed", { jti: "a\nb" }, "/jti"),
  wrong("a number for an id", { jti: 7 }, "/jti"),
  wrong("no scopes", { scopes: undefined }, "/scopes"),
  wrong("an empty list of scopes", { scopes: [] }, "/scopes"),
  wrong("scopes in one string", { scopes: "publish:**" }, "/scopes"),
  wrong("an unknown scope", { scopes: ["publish:**", "own:**"] }, "/scopes/1"),
  wrong("admin", { scopes: ["admin"] }, "/scopes/0"),
  wrong("51 scopes", { scopes: Array.from({ length: 51 }, () => "publish:a") }, "/scopes"),
  wrong("scopes of over 3 KB", { scopes: Array.from({ length: 40 }, () => `publish:${"a".repeat(90)}`) }, "/scopes"),
  wrong("a number for a user", { sub: 7 }, "/sub"),
  wrong("an empty user", { sub: "" }, "/sub"),
  wrong("a user of 257 bytes", { sub: `${"é".repeat(128)}x` }, "/sub"),
  wrong("a user with a control character", { sub: "a\u0000b" }, "/sub"),
  wrong("data of over 4 KB", { sub: "u", user_data: "x".repeat(4_100) }, "/user_data"),
  wrong("data of nobody", { user_data: { a: 1 } }, "/sub"),
  wrongText("a claim twice", () => JSON.stringify(makeClaims()).replace("{", '{"exp":1,'), "/exp"),
  wrongText("__proto__", () => JSON.stringify(makeClaims()).replace("{", '{"__proto__":{},'), "/__proto__"),
  wrongText("a list", () => "[]", ""),
  wrongText("no JSON", () => "{"),
  wrongText("half a surrogate pair", () => JSON.stringify(makeClaims({ sub: "X" })).replace("X", "\\ud800")),
  wrongText("a depth of 65", () =>
    JSON.stringify(makeClaims()).replace("{", `{"x":${"[".repeat(64)}${"]".repeat(64)},`),
  ),
  wrongText("bytes that are not UTF-8", () => new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])),
];
