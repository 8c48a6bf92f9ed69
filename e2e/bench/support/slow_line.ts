// A line between phone and server that lets only so many bits through in each direction. The
// developer tools' own slow network does not touch what a service worker fetches.
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** What a packet carries. */
const PACKET_BYTES = 1400;

export class SlowLine {
  #server: Server | undefined;
  #sockets = new Set<Socket>();
  #bitsPerSecond = Number.POSITIVE_INFINITY;
  /** For each direction, when the line is free again. */
  #free = { up: 0, down: 0 };

  constructor(readonly target: string) {}

  async start(): Promise<void> {
    const { hostname, port } = new URL(this.target);
    this.#server = createServer((near) => {
      const far = connect(Number(port), hostname);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      void this.#carry(near, far, "up");
      void this.#carry(far, near, "down");
    }).listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get url(): string {
    return `http://localhost:${(this.#server?.address() as AddressInfo).port}`;
  }

  /** From now on. */
  limit(bitsPerSecond: number): void {
    this.#bitsPerSecond = bitsPerSecond;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.close();
  }

  /** One packet after the other; all connections share the line. */
  async #carry(from: Socket, to: Socket, way: "up" | "down"): Promise<void> {
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
          const packet = bytes.subarray(at, at + PACKET_BYTES);
          const now = performance.now();
          const free = Math.max(now, this.#free[way]) + (packet.length * 8000) / this.#bitsPerSecond;
          this.#free[way] = free;
          if (free > now) await wait(free - now);
          if (!to.write(packet)) await once(to, "drain");
        }
      }
      to.end();
    } catch {
      to.destroy();
    }
  }
}
