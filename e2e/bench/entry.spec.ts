// From the tap on Save to the tick, beside a bare durable transaction in the same page.
import type { Page } from "@playwright/test";
import { test } from "./support/fixtures";
import { percentile, row, size } from "./support/row";

const ROUNDS = size(150, 10);
const SLOWER = 6;
/** An entry and the end of the chain. */
const ENTRY_BYTES = 150;

test("entries committed", async ({ year, read }) => {
  const phone = await year.phone(undefined, read);
  const { page } = phone;
  await page.goto("/sale");
  await page.locator(".keypad").waitFor();
  await row_of(page, "phone_entry", "Entry committed (strict), 95 of 100", 5);
  await phone.slowDown(SLOWER);
  await row_of(page, "phone_entry_slow", `Entry committed, slowed ${SLOWER}×, 95 of 100`, 20);
  await phone.close();
});

async function row_of(page: Page, name: string, what: string, more_ms: number): Promise<void> {
  const { entries, commits } = await measure(page);
  const commit = percentile(commits, 95);
  row({
    name,
    what,
    unit: "ms",
    runs: [percentile(entries, 95)],
    goal: commit + more_ms,
    goalIs: "at most",
    peer: { name: "bare strict IndexedDB commit", runs: [commit] },
    more: { p50_ms: percentile(entries, 50), commit_p50_ms: percentile(commits, 50) },
  });
}

/** Taken in turns, so that both see the same moments of the machine. */
function measure(page: Page): Promise<{ entries: number[]; commits: number[] }> {
  return page.evaluate(
    async ({ rounds, bytes }) => {
      const opening = indexedDB.open("bare", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("things");
      const bare = await new Promise<IDBDatabase>((resolve, reject) => {
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
      });
      const commit = (key: number) =>
        new Promise<void>((resolve, reject) => {
          const tx = bare.transaction("things", "readwrite", { durability: "strict" });
          tx.objectStore("things").put(new Uint8Array(bytes).fill(7), key);
          tx.commit();
          tx.oncomplete = () => resolve();
          tx.onabort = () => reject(tx.error);
        });
      const button = (within: string, name: string) => {
        const all = [...document.querySelectorAll<HTMLButtonElement>(`${within} button`)];
        const found = all.find((one) => one.textContent?.trim() === name);
        if (!found) throw new Error(`no button ${name}`);
        return found;
      };
      const amount = () => document.querySelector(".reading .huge")?.textContent?.trim();
      const until = (is: () => boolean) =>
        new Promise<void>((resolve) => {
          if (is()) return resolve();
          const observer = new MutationObserver(() => {
            if (!is()) return;
            observer.disconnect();
            resolve();
          });
          observer.observe(document.body, { childList: true, subtree: true, characterData: true });
        });
      const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

      const entries: number[] = [];
      const commits: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        button(".keypad", "7").click();
        button(".keypad", "5").click();
        await until(() => amount() === "₹75");
        await pause();
        let started = performance.now();
        button("body", "Save").click();
        // The tick comes with an empty keypad for the next sale.
        await until(() => amount() === "₹0");
        entries.push(performance.now() - started);
        await pause();
        started = performance.now();
        await commit(round);
        commits.push(performance.now() - started);
      }
      bare.close();
      return { entries, commits };
    },
    { rounds: ROUNDS, bytes: ENTRY_BYTES },
  );
}
