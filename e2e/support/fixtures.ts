// What every test starts from: a server, and phones.
import { test as base } from "@playwright/test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Phone, type PhoneOptions } from "./phone";
import { Releases } from "./release";
import { Server } from "./server";

export { expect } from "@playwright/test";
export { Phone, Server };

interface Fixtures {
  /** A directory of this test, on disk, removed afterwards. */
  dir: string;
  /** A new server, running. */
  server: Server;
  /** The app in several versions, in front of the server. */
  releases: Releases;
  /** A phone of this name, with the app open; a new one unless it was named before. */
  phone: (name: string, options?: PhoneOptions) => Promise<Phone>;
}

export const test = base.extend<Fixtures>({
  // Playwright wants the braces even where nothing is needed.
  dir: async ({}, use) => {
    const dir = await mkdtemp(path.join(tmpdir(), "pakka-e2e-"));
    await use(dir);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  },

  server: async ({ dir }, use, testInfo) => {
    const server = new Server(path.join(dir, "server"));
    await server.start();
    await use(server);
    await server.kill();
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach("server.log", { body: server.output, contentType: "text/plain" });
    }
  },

  releases: async ({ server }, use) => {
    const releases = new Releases(server.url);
    await releases.start();
    await use(releases);
    await releases.stop();
  },

  phone: async ({ dir, server }, use, testInfo) => {
    const phones = new Map<string, Phone>();
    await use(async (name, options) => {
      let phone = phones.get(name);
      if (!phone) {
        phone = new Phone(name, options?.url ?? server.url, path.join(dir, `phone-${name}`), options);
        phones.set(name, phone);
        await phone.open();
      }
      return phone;
    });
    for (const phone of phones.values()) {
      if (testInfo.status !== testInfo.expectedStatus) {
        const shot = await phone.screenshot();
        if (shot) await testInfo.attach(`${phone.name}.png`, { body: shot, contentType: "image/png" });
      }
      await phone.close();
    }
  },
});
