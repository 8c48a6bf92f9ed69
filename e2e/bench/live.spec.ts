// From Save on one phone to the new balance on another.
import { expect } from "@playwright/test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Phone } from "../support/phone";
import { Server } from "../support/server";
import { addCustomer, connect, openCustomer, openShop, pair, type } from "../support/shop";
import { test } from "./support/fixtures";
import { percentile, row, size } from "./support/row";

const ROUNDS = size(30, 4);

test("phone to phone", async () => {
  const dir = await mkdtemp(path.join(tmpdir(), "pakka-bench-"));
  const server = new Server(path.join(dir, "server"));
  await server.start();
  const [writer, reader] = ["writer", "reader"].map(
    (name) => new Phone(name, server.url, path.join(dir, name)),
  ) as [Phone, Phone];
  for (const phone of [writer, reader]) await phone.open();
  await openShop(writer.page);
  await addCustomer(writer.page, "Priya");
  await connect(writer.page, server);
  await pair(writer.page, reader.page);
  for (const phone of [writer, reader]) await openCustomer(phone.page, "Priya");

  const times: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const balance = `₹${round * 10}`;
    const seen = reader.page.evaluate(
      (wanted) =>
        new Promise<number>((resolve) => {
          const look = () => {
            const amount = document.querySelector(".card.balance .amount")?.textContent ?? "";
            if (!amount.replace(/\s/g, "").includes(wanted)) return false;
            resolve(Date.now());
            return true;
          };
          if (look()) return;
          const observer = new MutationObserver(() => look() && observer.disconnect());
          observer.observe(document.body, { childList: true, subtree: true, characterData: true });
        }),
      balance,
    );
    await writer.page.getByRole("link", { name: "You gave" }).click();
    await type(writer.page, "10");
    const saved = await writer.page.evaluate(() => {
      const all = [...document.querySelectorAll<HTMLButtonElement>("button")];
      const save = all.find((one) => one.textContent?.trim() === "Save");
      const at = Date.now();
      save?.click();
      return at;
    });
    times.push((await seen) - saved);
    await expect(writer.page.locator(".card.balance")).toBeVisible();
  }
  row({
    name: "phone_live",
    what: "Live, phone to phone, from Save to the other's screen, median",
    unit: "ms",
    runs: [percentile(times, 50)],
    goal: 100,
    goalIs: "at most",
    more: { p95_ms: percentile(times, 95) },
  });
  for (const phone of [writer, reader]) await phone.close();
  await server.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 3 });
});
