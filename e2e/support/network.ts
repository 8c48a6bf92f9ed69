// A network between phone and server: it loses an answer at the worst moment, when the server has
// stored what it was sent, or answers itself, as public ones do before a person has signed in.
import { once } from "node:events";
import {
  type IncomingMessage,
  type Server as Http,
  type ServerResponse,
  createServer,
  request,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "./server";

/** What a public network answers to everything. */
export const PORTALS: Record<string, (answer: ServerResponse) => void> = {
  "a sign-in page": (answer) =>
    answer.writeHead(200, { "content-type": "text/html" }).end("<h1>Sign in</h1>"),
  "a sign-in page without an end": (answer) =>
    answer.writeHead(200, { "content-type": "text/html" }).write("<h1>Sign in</h1>"),
  "the way to a sign-in page": (answer) =>
    answer.writeHead(302, { location: "/portal/login" }).end(),
  "that a person must sign in": (answer) =>
    answer.writeHead(511, { "content-type": "text/html" }).end("<h1>Sign in</h1>"),
};

export class Network {
  #http: Http | undefined;
  /** What answers in the place of the server. */
  portal: ((answer: ServerResponse) => void) | undefined;
  #onPush: (() => Promise<void>) | undefined;

  constructor(readonly server: Server) {}

  async start(): Promise<void> {
    this.#http = createServer((asked, answer) => {
      if (this.portal) {
        asked.resume();
        return this.portal(answer);
      }
      const body: Buffer[] = [];
      asked.on("data", (part: Buffer) => body.push(part));
      asked.on("end", () => {
        const sent = Buffer.concat(body);
        const forward = request(
          this.server.url + asked.url,
          { method: asked.method, headers: asked.headers },
          (answered) => void this.#pass(asked, sent, answered, answer),
        );
        forward.on("error", () => answer.destroy());
        answer.on("close", () => forward.destroy());
        forward.end(sent);
      });
    }).listen(0, "127.0.0.1");
    await once(this.#http, "listening");
  }

  get url(): string {
    return `http://localhost:${(this.#http?.address() as AddressInfo).port}`;
  }

  /** Kills the server once it has answered the next push, and loses that answer. */
  killAfterNextPush(): Promise<void> {
    return new Promise((resolve) => {
      this.#onPush = async () => {
        await this.server.kill();
        resolve();
      };
    });
  }

  async stop(): Promise<void> {
    this.#http?.closeAllConnections();
    this.#http?.close();
  }

  async #pass(
    asked: IncomingMessage,
    sent: Buffer,
    answered: IncomingMessage,
    answer: ServerResponse,
  ): Promise<void> {
    // A push has events in it; a request that only asks is shorter than any event with its
    // signature.
    if (this.#onPush && asked.url === "/api/v1/sync" && sent.length > 200) {
      const kill = this.#onPush;
      this.#onPush = undefined;
      await kill();
      answer.destroy();
      return;
    }
    answer.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(answer);
    answered.on("error", () => answer.destroy());
  }
}
