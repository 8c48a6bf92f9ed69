// The real server, as a process that can be stopped, killed and started again.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The program that is tested. */
const SERVER_BINARY =
  process.env.PAKKA_SERVER ??
  fileURLToPath(new URL("../../target/release/pakka-server", import.meta.url));
const START_TIMEOUT_MS = 20_000;
const ADDRESS = /https?:\/\/(?:localhost|127\.0\.0\.1):(\d+)/;
const CLAIM_CODE = /claim code\W+([A-Za-z0-9-]+)/i;

export class Server {
  /** Everything that it has printed since the first start. */
  output = "";
  #process: ChildProcess | undefined;
  #port = 0;
  #claimCode: string | undefined;

  constructor(readonly dataDir: string) {}

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  /** The code with which the owner claims this server. */
  get claimCode(): string {
    if (!this.#claimCode) throw new Error(`the server printed no claim code:\n${this.output}`);
    return this.#claimCode;
  }

  /** Starts it on a free port the first time, on the same port and data later. */
  async start(): Promise<void> {
    if (this.#process) throw new Error("the server is running already");
    const child = spawn(
      SERVER_BINARY,
      ["serve", "--port", String(this.#port), "--data", this.dataDir],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process = child;
    let printed = "";
    const ready = new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        printed += chunk;
        this.output += chunk;
        const port = ADDRESS.exec(printed)?.[1];
        this.#claimCode ??= CLAIM_CODE.exec(printed)?.[1];
        // Whole lines only: a code may come in two pieces.
        if (port && printed.endsWith("\n")) {
          this.#port = Number(port);
          resolve();
        }
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${printed}`)));
      setTimeout(
        () => reject(new Error(`the server did not start:\n${printed}`)),
        START_TIMEOUT_MS,
      ).unref();
    });
    await ready;
    await this.#answers();
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** As an administrator does it. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Stops, copies everything aside, and goes on. */
  async backUp(to: string): Promise<void> {
    await this.stop();
    await cp(this.dataDir, to, { recursive: true });
    await this.start();
  }

  /** While it is off: the disk is lost, and an older copy put in its place. */
  async putBack(from: string): Promise<void> {
    if (this.#process) throw new Error("the server is running");
    await rm(this.dataDir, { recursive: true });
    await cp(from, this.dataDir, { recursive: true });
  }

  /** The same as when a snapshot of the whole machine is put back: not even the server sees it. */
  async putBackUnseen(from: string): Promise<void> {
    if (this.#process) throw new Error("the server is running");
    for (const file of await readdir(from)) {
      await writeFile(path.join(this.dataDir, file), await readFile(path.join(from, file)));
    }
  }

  /** What `pakka-server verify` says of a file, or of all that the server keeps. */
  async verify(file?: string): Promise<string> {
    const what = file ? [file] : ["--data", this.dataDir];
    const { stdout } = await promisify(execFile)(SERVER_BINARY, ["verify", ...what]);
    return stdout;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const response = await fetch(this.url).catch(() => undefined);
      if (response) return;
      if (Date.now() > deadline) throw new Error(`${this.url} does not answer:\n${this.output}`);
    }
  }
}
