// A newer release of the app, without building one: a server in front of the
// real one that hands on everything and changes only what a release changes.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export class Releases {
  #http: Server | undefined;
  #change: (path: string, body: string) => string = (_, body) => body;

  constructor(readonly origin: string) {}

  async start(): Promise<void> {
    this.#http = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy());
    }).listen(0, "127.0.0.1");
    await once(this.#http, "listening");
  }

  get url(): string {
    return `http://localhost:${(this.#http?.address() as AddressInfo).port}`;
  }

  /** From now on a new version is served. */
  publish(version: string): void {
    this.#change = (path, body) =>
      path === "/sw.js" ? body.replace(/version: "\w+"/, `version: "${version}"`) : body;
  }

  /** From now on a new version is served, one file of which is not what it should be. */
  publishHalf(version: string): void {
    this.publish(version);
    const whole = this.#change;
    this.#change = (path, body) =>
      path === "/boot.js" ? `${body}\n// of another version` : whole(path, body);
  }

  async stop(): Promise<void> {
    this.#http?.closeAllConnections();
    this.#http?.close();
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    const answer = await fetch(this.origin + path);
    const headers: Record<string, string> = {};
    for (const name of ["content-type", "cache-control", "content-security-policy"]) {
      const value = answer.headers.get(name);
      if (value) headers[name] = value;
    }
    response.writeHead(answer.status, headers);
    if (/javascript/.test(headers["content-type"] ?? "")) {
      response.end(this.#change(path, await answer.text()));
    } else {
      response.end(Buffer.from(await answer.arrayBuffer()));
    }
  }
}
