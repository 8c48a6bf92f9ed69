// A phone of the shop: a browser with a disk of its own, so that what it keeps
// outlives the browser, as on a real phone.
import { type BrowserContext, type Page, chromium } from "@playwright/test";
import { cp, readlink, rm } from "node:fs/promises";
import path from "node:path";

export interface PhoneOptions {
  /** Where the app is opened, if not at the server of the test. */
  url?: string;
  locale?: "en-IN" | "hi-IN";
  colorScheme?: "light" | "dark";
  viewport?: { width: number; height: number };
}

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SMALL_PHONE = { width: 360, height: 640 };

export class Phone {
  #context: BrowserContext | undefined;
  #page: Page | undefined;

  constructor(
    readonly name: string,
    readonly url: string,
    readonly diskDir: string,
    readonly options: PhoneOptions = {},
  ) {}

  /** The screen in front of the person. */
  get page(): Page {
    if (!this.#page) throw new Error(`${this.name}'s phone is off`);
    return this.#page;
  }

  get context(): BrowserContext {
    if (!this.#context) throw new Error(`${this.name}'s phone is off`);
    return this.#context;
  }

  /** Starts the browser and opens the app. */
  async open(at = "/"): Promise<Page> {
    this.#context = await chromium.launchPersistentContext(this.diskDir, {
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
      ],
      baseURL: this.url,
      viewport: this.options.viewport ?? SMALL_PHONE,
      hasTouch: true,
      locale: this.options.locale ?? "en-IN",
      timezoneId: "Asia/Kolkata",
      colorScheme: this.options.colorScheme ?? "light",
      reducedMotion: "reduce",
    });
    this.#page = this.#context.pages()[0] ?? (await this.#context.newPage());
    await this.#page.goto(at);
    return this.#page;
  }

  /** Another tab of the same phone. */
  async tab(at = "/"): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(at);
    return page;
  }

  /** Closes the browser properly. */
  async close(): Promise<void> {
    await this.#context?.close();
    this.#context = undefined;
    this.#page = undefined;
  }

  async reopen(at = "/"): Promise<Page> {
    await this.close();
    return this.open(at);
  }

  /** While it is off: copies all that it keeps, as a backup program does. */
  async copyDisk(to: string): Promise<void> {
    if (this.#context) throw new Error(`${this.name}'s phone is on`);
    await rm(to, { recursive: true, force: true });
    await cp(this.diskDir, to, { recursive: true });
  }

  /** While it is off: puts an older copy in the place of all that it keeps. */
  async putBackDisk(from: string): Promise<void> {
    if (this.#context) throw new Error(`${this.name}'s phone is on`);
    await rm(this.diskDir, { recursive: true });
    await cp(from, this.diskDir, { recursive: true });
  }

  /** As when the battery is pulled: the browser gets no chance to write anything. */
  async kill(): Promise<void> {
    const context = this.context;
    // Chromium's lock on its profile is a link that names host and process.
    const lock = await readlink(path.join(this.diskDir, "SingletonLock"));
    const browser = Number(lock.split("-").at(-1));
    const closed = new Promise((resolve) => context.once("close", resolve));
    process.kill(browser, "SIGKILL");
    await closed;
    this.#context = undefined;
    this.#page = undefined;
  }

  /** Kills the tab alone, as the system does with one that it needs the memory of. */
  async killTab(): Promise<void> {
    const page = this.page;
    const devtools = await this.context.newCDPSession(page);
    const crashed = new Promise((resolve) => page.once("crash", resolve));
    devtools.send("Page.crash").catch(() => {}); // it has nobody left to answer
    await crashed;
    this.#page = await this.context.newPage();
    await page.close();
  }

  /** As when the browser makes room: it takes everything of the origin but its cookies. */
  async empty(): Promise<void> {
    const devtools = await this.context.newCDPSession(this.page);
    await this.page.goto("about:blank");
    await devtools.send("Storage.clearDataForOrigin", {
      origin: this.url,
      storageTypes: "indexeddb,local_storage,service_workers,cache_storage",
    });
    await devtools.detach();
  }

  /** Makes the page this many times slower (not its workers). */
  async slowDown(times: number): Promise<void> {
    const devtools = await this.context.newCDPSession(this.page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: times });
  }

  /** Until the app is stored and opens without a network. */
  async isStored(): Promise<void> {
    await this.page.evaluate(async () => {
      const workers = navigator.serviceWorker;
      await workers.ready;
      if (workers.controller) return;
      await new Promise((resolve) =>
        workers.addEventListener("controllerchange", resolve, { once: true }),
      );
    });
  }

  /** What is on the screen, unless the phone is off. */
  async screenshot(): Promise<Buffer | undefined> {
    return this.#page?.screenshot().catch(() => undefined);
  }
}
