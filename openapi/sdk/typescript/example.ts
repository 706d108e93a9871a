// A colleague is supported: from the programme to the first contact. Compiled and run against the live service with every change,
// so that it can be copied.

import { all, nazorg, type Problem } from "./index.js";

/** The data of an answer; a problem is thrown. */
async function done<T>(answer: Promise<{ data?: T; error?: Problem }>): Promise<T> {
  const { data, error } = await answer;
  if (data === undefined) throw new Error(error === undefined ? "no answer" : `${error.code}: ${error.detail}`);
  return data;
}

/** What happened is what should have. */
function so(what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`);
}

/** With it, a request that is sent again does nothing again. */
const once = (key: string = crypto.randomUUID()) => ({ header: { "Idempotency-Key": key } });

/** Tells the story with an administrator's key; answers what it did, step by step. */
export async function example(url: string, key: string): Promise<string[]> {
  const told: string[] = [];
  const admin = nazorg({ url, key });

  const protocol = await done(
    admin.POST("/protocols", { params: once(), body: { builtIn: "second_victim_peer_support", publish: true } }),
  );
  told.push(`protocol ${protocol.name} version ${protocol.number} is ${protocol.status}`);

  // Who coordinates has a key of their own.
  const made = await done(admin.POST("/api-keys", { params: once(), body: { name: "Coordinator", role: "coordinator" } }));
  if (made.secret === undefined) throw new Error("the key is told once, when it is made");
  const coordinator = nazorg({ url, key: made.secret });

  // A change is made to the version one has seen; who was faster wins, and the other is told.
  const unit = await admin.POST("/units", { params: once(), body: { name: "Ward 4 North", kind: "department" } });
  const ward = await done(Promise.resolve(unit));
  const seen = { path: { id: ward.id }, header: { "If-Match": unit.response.headers.get("ETag") ?? "" } };
  await done(admin.PATCH("/units/{id}", { params: seen, body: { name: "Ward 5 North" } }));
  const late = await admin.PATCH("/units/{id}", { params: seen, body: { name: "Ward 6 North" } });
  so("the second change of one version is refused", late.error?.code === "precondition_failed");

  const person = async (name: string, address: string): Promise<string> => {
    const { id } = await done(coordinator.POST("/persons", { params: once(), body: { name, language: "nl" } }));
    const point = { channel: "email", address, safe: "yes" } as const;
    await done(coordinator.POST("/persons/{id}/contact-points", { params: { path: { id }, ...once() }, body: point }));
    return id;
  };
  const nurse = await person("A. de Vries", "nurse@hospital.example");
  const peer = await person("B. Jansen", "peer@hospital.example");

  // The connection broke and the case system asks again: it is one case.
  const now = new Date().toISOString();
  const anchors = [{ anchor: "event_at", at: now }, { anchor: "reported_at", at: now }];
  const body = { personId: nurse, unitId: ward.id, protocolId: protocol.id, anchors };
  const asked = once();
  const opened = await done(coordinator.POST("/cases", { params: asked, body }));
  const again = await done(coordinator.POST("/cases", { params: asked, body }));
  so("a request sent twice opens one case", opened.id === again.id);

  const promised = async () => {
    const found = [];
    const page = (cursor?: string) => ({ caseId: [opened.id], limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    for await (const one of all((cursor) => coordinator.GET("/follow-ups", { params: { query: page(cursor) } }))) found.push(one);
    return found;
  };
  const complete = async (step: string, outcome: string): Promise<void> => {
    const one = (await promised()).find((one) => one.step === step && one.finalAt === undefined);
    if (one === undefined) throw new Error(`${step} is not promised`);
    const completed = await done(
      coordinator.POST("/follow-ups/{id}/complete", { params: { path: { id: one.id }, ...once() }, body: { outcome } }),
    );
    told.push(`${step}: ${completed.outcome}`);
  };
  await done(
    coordinator.POST("/cases/{id}/assign", {
      params: { path: { id: opened.id }, ...once() },
      body: { role: "peer_supporter", personId: peer },
    }),
  );
  await complete("assign", "assigned");
  await complete("offer", "accepted");
  for (const one of await promised()) told.push(`${one.step}: ${one.status}, due ${one.dueAt ?? "later"}`);

  const strange = await coordinator.GET("/cases/{id}", { params: { path: { id: crypto.randomUUID() } } });
  so("what is not there is a problem with a code", strange.error?.code === "not_found" && strange.response.status === 404);

  const ledger = await done(coordinator.GET("/ledger", { params: { query: { caseId: opened.id } } }));
  so("nothing is unaccounted for", ledger.unaccounted === 0);
  told.push(`unaccounted: ${ledger.unaccounted}`);
  return told;
}
