// The client of an integrator: openapi-fetch over the published document, with the conventions of the service built in.

import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";

/** What every failure looks like (RFC 9457). */
export type Problem = components["schemas"]["Problem"];

export interface Options {
  /** Where the service is, such as `https://nazorg.example`. */
  url: string;
  /** The API key, `nzg_live_…`. */
  key: string;
  /** The person (id) who is responsible for the requests, where the key is an integration's. */
  onBehalfOf?: string;
}

/** A client that carries the key and the responsible person with every request. */
export function nazorg({ url, key, onBehalfOf }: Options): Client<paths> {
  const client = createClient<paths>({ baseUrl: `${url.replace(/\/$/, "")}/v1` });
  const conventions: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${key}`);
      if (onBehalfOf !== undefined) request.headers.set("X-On-Behalf-Of", onBehalfOf);
      return request;
    },
  };
  client.use(conventions);
  return client;
}

/** All items of a list, stretch by stretch: `for await (const unit of all((cursor) => …))`. */
export async function* all<Item>(
  stretch: (cursor: string | undefined) => Promise<{ data?: { items: Item[]; next?: string }; error?: Problem }>,
): AsyncGenerator<Item> {
  let cursor: string | undefined;
  do {
    const { data, error } = await stretch(cursor);
    if (data === undefined) throw new Error(error?.detail ?? "The service gave no answer.");
    yield* data.items;
    cursor = data.next;
  } while (cursor !== undefined);
}
