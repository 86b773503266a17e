/** A room of PartyServer: who connects hears what is posted. */
import { routePartykitRequest, Server } from "partyserver";

export class Room extends Server {
  override async onRequest(request: Request): Promise<Response> {
    this.broadcast(await request.text());
    return Response.json({});
  }
}

export default {
  async fetch(request: Request, env: Cloudflare.Env): Promise<Response> {
    return (await routePartykitRequest(request, env)) ?? new Response(null, { status: 404 });
  },
};
