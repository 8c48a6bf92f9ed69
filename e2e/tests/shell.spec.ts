// The shell of the app: it opens without a server, and changes version with care.
import type { Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { addCustomer, openShop } from "../support/shop";

/** Looks for a new version, as the app does now and then, and says what became of it. */
function lookForUpdate(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const found = new Promise<ServiceWorker | null>((resolve) =>
      registration.addEventListener("updatefound", () => resolve(registration.installing), {
        once: true,
      }),
    );
    await registration.update();
    const worker = await found;
    if (!worker) return "nothing";
    while (worker.state === "installing") {
      await new Promise((resolve) =>
        worker.addEventListener("statechange", resolve, { once: true }),
      );
    }
    return worker.state;
  });
}

/** The versions whose files are kept on the phone. */
function keptVersions(page: Page): Promise<string[]> {
  return page.evaluate(async () => (await caches.keys()).filter((key) => /^pakka-app-/.test(key)));
}

/** As when a browser has dropped files of the app; says how many. */
async function loseFiles(page: Page, name: string): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.clearBrowserCache");
  return page.evaluate(async (name) => {
    let lost = 0;
    for (const key of await caches.keys()) {
      const cache = await caches.open(key);
      for (const file of await cache.keys()) {
        if (file.url.includes(name) && (await cache.delete(file))) lost += 1;
      }
    }
    return lost;
  }, name);
}

test("the app opens again when the server is gone, also after the browser was closed", async ({
  server,
  phone,
}) => {
  const priya = await phone("Priya");
  await expect(priya.page.locator("#loading")).toHaveCount(0);
  await priya.isStored();
  await server.kill();

  await priya.page.reload();
  await expect(priya.page.locator("#loading")).toHaveCount(0);

  await priya.reopen("/settings");
  await expect(priya.page).toHaveTitle("Pakka");
  await expect(priya.page.locator("#loading")).toHaveCount(0);
});

test("a fault that stops the app is said, and the app opens again", async ({ phone }) => {
  const { page } = await phone("Priya");
  await expect(page.locator("#loading")).toHaveCount(0);
  // What the browser tells of a wasm that has stopped.
  await page.evaluate(() => {
    setTimeout(() => {
      throw new WebAssembly.RuntimeError("unreachable");
    });
  });

  await expect(page.getByRole("dialog")).toContainText("Everything that showed its tick is safe");
  await page.getByRole("button", { name: "Open it again" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "No, open a new shop" })).toBeVisible();
});

test("a screen whose part of the app is missing says so, and opens as soon as it is there", async ({
  server,
  phone,
}) => {
  const meena = await phone("Meena");
  const { page } = meena;
  await openShop(page);
  await meena.isStored();
  expect(await loseFiles(page, "split_office")).toBe(1);
  await server.stop();

  const main = page.getByRole("navigation", { name: "Main" });
  await main.getByRole("link", { name: "Reports" }).click();
  const said = page.getByRole("alert");
  await expect(said).toContainText("A part of the app has not come to this phone yet");
  await expect(said).toContainText("Nothing is lost");
  await main.getByRole("link", { name: "Khata" }).click();
  await addCustomer(page, "Priya");

  await page.goto("/");
  await main.getByRole("link", { name: "Reports" }).click();
  await expect(said).toBeVisible();
  await server.start();
  await said.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Reports", level: 1 })).toBeVisible();
});

test("the first load brings no part of the app that only other screens need", async ({ phone }) => {
  const { page } = await phone("Meena");
  await expect(page.getByRole("button", { name: "No, open a new shop" })).toBeVisible();
  const fetched = await page.evaluate(() =>
    performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname),
  );
  expect(fetched.filter((path) => path.includes("office"))).toEqual([]);
  expect(fetched.filter((path) => path.endsWith("_bg.wasm"))).toHaveLength(1);
});

test("the server's own paths are never answered from the phone", async ({ server, phone }) => {
  const priya = await phone("Priya");
  await priya.isStored();
  await server.kill();

  const answer = await priya.page.evaluate(() =>
    fetch("/api/v1/sync", { method: "GET" }).then(
      () => "answered",
      () => "no answer",
    ),
  );
  expect(answer).toBe("no answer");
});

test("a file that the app does not have is an error, not a page", async ({ server }) => {
  const response = await fetch(`${server.url}/frontend-0000000000000000_bg.wasm`);
  expect(response.status).toBe(404);
});

test("a new version is taken only when the app asks for it, and then whole", async ({
  releases,
  phone,
}) => {
  const priya = await phone("Priya", { url: releases.url });
  await priya.isStored();
  const before = await keptVersions(priya.page);
  await priya.page.evaluate(() => document.body.setAttribute("data-half-typed", "300"));

  releases.publish("next");
  expect(await lookForUpdate(priya.page)).toBe("installed");
  await expect(priya.page.locator("html")).toHaveAttribute("data-update", "ready");
  await expect(priya.page.locator("body")).toHaveAttribute("data-half-typed", "300");
  expect(await keptVersions(priya.page)).toEqual([...before, "pakka-app-next"]);

  const reloaded = priya.page.waitForEvent("load");
  await priya.page.evaluate(() => window.dispatchEvent(new Event("pakka-update")));
  await reloaded;
  await expect(priya.page.locator("#loading")).toHaveCount(0);
  await expect(priya.page.locator("body")).not.toHaveAttribute("data-half-typed");
  expect(await keptVersions(priya.page)).toEqual(["pakka-app-next"]);
});

test("another tab is told of the new version and loses nothing that is being typed", async ({
  releases,
  phone,
}) => {
  const priya = await phone("Priya", { url: releases.url });
  await priya.isStored();
  const other = await priya.tab();
  await other.evaluate(() => document.body.setAttribute("data-half-typed", "300"));

  releases.publish("next");
  await lookForUpdate(priya.page);
  const reloaded = priya.page.waitForEvent("load");
  await priya.page.evaluate(() => window.dispatchEvent(new Event("pakka-update")));
  await reloaded;

  await expect(other.locator("html")).toHaveAttribute("data-update", "ready");
  await expect(other.locator("body")).toHaveAttribute("data-half-typed", "300");
});

test("a version that arrives with a wrong file is not used at all", async ({ releases, phone }) => {
  const priya = await phone("Priya", { url: releases.url });
  await priya.isStored();

  releases.publishHalf("half");
  expect(await lookForUpdate(priya.page)).toBe("redundant");
  await expect(priya.page.locator("html")).not.toHaveAttribute("data-update");

  await priya.page.reload();
  await expect(priya.page.locator("#loading")).toHaveCount(0);
});

test("nothing is fetched from anywhere but the shop's own server", async ({ server, phone }) => {
  const priya = await phone("Priya");
  await priya.isStored();
  const origins = await priya.page.evaluate(() =>
    performance.getEntriesByType("resource").map((entry) => new URL(entry.name).origin),
  );
  expect(new Set(origins)).toEqual(new Set([server.url]));
});
