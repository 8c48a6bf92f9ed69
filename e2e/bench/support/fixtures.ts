// A shop with a year behind it, made once for all benches, and phones that belong to it.
import { test as base } from "@playwright/test";
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Door } from "../../support/device";
import { Phone } from "../../support/phone";
import { Server } from "../../support/server";
import { size } from "./row";

const DEVICE =
  process.env.PAKKA_DEVICE ??
  fileURLToPath(new URL("../../../target/release/pakka-device", import.meta.url));

export const EVENTS = size(100_000, 3_000);
const CUSTOMERS = 300;

export class Year {
  #phones = 0;

  constructor(
    readonly dir: string,
    readonly server: Server,
  ) {}

  /** Where the device without a screen lives that owns the shop. */
  get folder(): string {
    return path.join(this.dir, "device");
  }

  async fill(): Promise<void> {
    await this.server.start();
    await promisify(execFile)(
      DEVICE,
      [
        "demo",
        ...["--server", this.server.url, "--claim", this.server.claimCode],
        ...["--folder", this.folder, "--events", String(EVENTS)],
        ...["--customers", String(CUSTOMERS)],
      ],
      { maxBuffer: 64 * 1024 * 1024 },
    );
  }

  /** A phone with nothing on it, or with what another one had when it was closed. */
  async phone(url = this.server.url, like?: Phone): Promise<Phone> {
    this.#phones += 1;
    const disk = path.join(this.dir, `phone-${this.#phones}`);
    if (like) await cp(like.diskDir, disk, { recursive: true });
    const phone = new Phone(`${this.#phones}`, url, disk);
    await phone.open("about:blank");
    return phone;
  }

  /** The first screens of a new phone, up to the tap that lets it in. */
  async knock(phone: Phone): Promise<void> {
    const door = new Door();
    const code = await door.open(this.folder);
    const { page } = phone;
    await page.getByRole("link", { name: "Yes, join my shop" }).click();
    await page.getByLabel("Code").fill(code);
    await page.getByRole("button", { name: "Join" }).click();
    await page.locator("nav, .code").first().waitFor();
  }
}

interface Shared {
  year: Year;
  /** A phone of the shop that has read everything, and is off. */
  read: Phone;
}

export const test = base.extend<object, Shared>({
  year: [
    async ({}, use) => {
      const dir = await mkdtemp(path.join(tmpdir(), "pakka-bench-"));
      const year = new Year(dir, new Server(path.join(dir, "server")));
      await year.fill();
      await use(year);
      await year.server.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
    { scope: "worker", timeout: 5 * 60_000 },
  ],
  read: [
    async ({ year }, use) => {
      const phone = await year.phone();
      await phone.page.goto("/");
      await year.knock(phone);
      await settled(phone);
      await phone.isStored();
      await phone.close();
      await use(phone);
    },
    { scope: "worker", timeout: 5 * 60_000 },
  ],
});

/** Until the phone has read everything and has nothing of its own left to send. */
export async function settled({ page }: Phone, timeout = 4 * 60_000): Promise<void> {
  const chip = page.locator(".sync-chip", { hasText: "all on server" });
  await chip.waitFor({ state: "attached", timeout });
  // Older entries are counted behind the screen, which says so.
  await page.locator("progress").waitFor({ state: "detached", timeout });
}
