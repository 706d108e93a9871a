// Lists units, makes one, renames it over the version that was read. Kept compiling, so that it can be copied.

import { all, nazorg } from "./index.js";

export async function example(url: string, key: string): Promise<string> {
  const client = nazorg({ url, key });
  for await (const unit of all((cursor) => client.GET("/units", { params: { query: cursor === undefined ? {} : { cursor } } }))) {
    if (unit.name === "Intensive care") return unit.id;
  }
  const made = await client.POST("/units", {
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { name: "Intensive care", kind: "department" },
  });
  if (made.data === undefined) throw new Error(`${made.error.code}: ${made.error.detail}`);
  const changed = await client.PATCH("/units/{id}", {
    params: { path: { id: made.data.id }, header: { "If-Match": made.response.headers.get("ETag") ?? "" } },
    body: { parentId: null },
  });
  if (changed.data === undefined) throw new Error(`${changed.error.code}: ${changed.error.detail}`);
  return changed.data.id;
}
