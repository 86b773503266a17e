/** Whether an app's own server has signed that a socket may follow a channel, or is a user. */
import type { Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { SignedAsk } from "../../core/signed-ask.ts";
import type { Env } from "../../env.ts";
import { channelContent, parseAuth, userContent } from "../../wire/pusher/signatures.ts";
import { findKey } from "../access/key-directory.ts";
import { pusherSecretsOf, signerOf } from "../../pusher-secrets.ts";

/** As `WorkerGateRpc.verifySigned`. Only the connection's own key signs for it. */
export async function verifySigned(
  env: Env,
  principal: Principal,
  socketId: string,
  ask: SignedAsk,
  auth: string,
): Promise<Result<number | null>> {
  const signature = parseAuth(auth);
  if (principal.kind !== "pusher" || signature?.key !== principal.key) return fail("signature_invalid");
  const content = contentOf(socketId, ask);
  const record = await findKey({ env }, principal.key);
  if (record === null || content === null) return fail("signature_invalid");
  const secrets = await pusherSecretsOf(env, record, Date.now());
  const signer = signerOf(secrets, content, signature.hex);
  return signer === null ? fail("signature_invalid") : ok(signer.until);
}

const contentOf = (socketId: string, ask: SignedAsk): string | null =>
  ask.kind === "user" ? userContent(socketId, ask.data) : channelContent(socketId, ask.channel, ask.data);
