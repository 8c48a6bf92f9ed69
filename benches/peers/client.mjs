// A client of each peer: `client.mjs pouch|actual push|pull <url> <events.jsonl> <events per batch>`.
//
// Prints one JSON object: events, the time on the wall, and the bytes of bodies in each direction.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [peer, direction, url, file, batch] = process.argv.slice(2);
const BATCH = Number(batch);
const traffic = { sent_bytes: 0, received_bytes: 0 };

async function send(path, { method = "POST", headers = {}, body } = {}) {
  const answer = await fetch(url + path, { method, headers, body });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  traffic.sent_bytes += body?.length ?? 0;
  traffic.received_bytes += bytes.length;
  return bytes;
}

const JSON_BODY = { "content-type": "application/json" };
const asJson = (value) => Buffer.from(JSON.stringify(value));

/** Documents as they are, an event each. */
const pouch = {
  async begin() {
    await send("/shop", { method: "PUT" });
  },

  encode: (events) => asJson({ docs: events }),

  async push(body) {
    const results = JSON.parse(await send("/shop/_bulk_docs", { headers: JSON_BODY, body }));
    const refused = results.filter((result) => !result.ok);
    if (refused.length > 0) throw new Error(JSON.stringify(refused[0]));
  },

  async pull() {
    let since = 0;
    let events = 0;
    for (;;) {
      const query = `include_docs=true&limit=${BATCH}&since=${since}`;
      const page = JSON.parse(await send(`/shop/_changes?${query}`, { method: "GET" }));
      if (page.results.length === 0) return events;
      events += page.results.filter((change) => change.doc).length;
      since = page.last_seq;
    }
  },
};

/** One message for each field of an event, as Actual stores a transaction. */
const actual = {
  async begin() {
    const { SyncProtoBuf, Timestamp, makeClock, setClock } = require("@actual-app/crdt");
    this.proto = SyncProtoBuf;
    this.timestamp = Timestamp;
    setClock(makeClock(new Timestamp(0, 0, "0123456789abcdef")));
    const remembered = `${file}.actual`;
    if (direction === "pull") {
      Object.assign(this, JSON.parse(await readFile(remembered, "utf8")));
      return;
    }
    const password = asJson({ password: "for this bench only" });
    await send("/account/bootstrap", { headers: JSON_BODY, body: password });
    const login = await send("/account/login", { headers: JSON_BODY, body: password });
    this.token = JSON.parse(login).data.token;
    this.file = "6a3a1f0e-0000-4000-8000-000000000001";
    const uploaded = await send("/sync/upload-user-file", {
      headers: {
        "content-type": "application/encrypted-file",
        "x-actual-token": this.token,
        "x-actual-file-id": this.file,
        "x-actual-name": "shop",
        "x-actual-format": "2",
      },
      body: Buffer.from("a budget would lie here"),
    });
    this.group = JSON.parse(uploaded).groupId;
    const { token, file: budget, group } = this;
    await writeFile(remembered, JSON.stringify({ token, file: budget, group }));
  },

  request(since, messages) {
    const request = new this.proto.SyncRequest();
    request.setFileid(this.file);
    request.setGroupid(this.group);
    request.setSince(since);
    for (const message of messages) request.addMessages(message);
    return Buffer.from(request.serializeBinary());
  },

  encode(events) {
    const messages = events.flatMap(({ _id, kind, ...fields }) =>
      Object.entries(fields).map(([column, value]) => {
        const message = new this.proto.Message();
        message.setDataset(kind);
        message.setRow(_id);
        message.setColumn(column);
        message.setValue(typeof value === "number" ? `N:${value}` : `S:${text(value)}`);
        const envelope = new this.proto.MessageEnvelope();
        envelope.setTimestamp(this.timestamp.send().toString());
        envelope.setIsencrypted(false);
        envelope.setContent(message.serializeBinary());
        return envelope;
      }),
    );
    return this.request(messages.at(-1).getTimestamp(), messages);
  },

  async push(body) {
    await this.sync(body);
  },

  async pull() {
    const zero = new this.timestamp(0, 0, "0000000000000000").toString();
    const answer = this.proto.SyncResponse.deserializeBinary(await this.sync(this.request(zero, [])));
    const rows = answer
      .getMessagesList()
      .map((envelope) => this.proto.Message.deserializeBinary(envelope.getContent()).getRow());
    return new Set(rows).size;
  },

  sync(body) {
    const headers = { "content-type": "application/actual-sync", "x-actual-token": this.token };
    return send("/sync/sync", { headers, body });
  },
};

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

const lines = (await readFile(file, "utf8")).split("\n").filter(Boolean);
const client = peer === "pouch" ? pouch : actual;
if (direction === "push" || peer === "actual") await client.begin();
let events = lines.length;
let bodies = [];
if (direction === "push") {
  const docs = lines.map((line) => JSON.parse(line));
  for (let first = 0; first < docs.length; first += BATCH) {
    bodies.push(client.encode(docs.slice(first, first + BATCH)));
  }
}
Object.assign(traffic, { sent_bytes: 0, received_bytes: 0 });
console.log("begin");
const started = performance.now();
for (const body of bodies) await client.push(body);
if (direction === "pull") {
  events = await client.pull();
  if (events !== lines.length) throw new Error(`${events} of ${lines.length} came back`);
}
console.log(JSON.stringify({ events, wall_s: (performance.now() - started) / 1000, ...traffic }));
