// What is noted inside the page while the app works, without touching the app.
import type { Page } from "@playwright/test";

interface Noted {
  /** When the app's program began to run, in ms since the page was opened. */
  began: number;
  /** When the first rows of a list stood on the screen. */
  listed: number;
  /** The longest time for which the page could not answer a finger. */
  frozen: number;
  /** For each touch that took long, the time until the screen had changed, by its number. */
  taps: Record<number, number>;
}

declare global {
  interface Window {
    noted: Noted;
  }
}

/** Notes from the next page on. */
export async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const noted: Noted = { began: 0, listed: 0, frozen: 0, taps: {} };
    window.noted = noted;
    // Compiled before; its parts, which follow, are not.
    const original = WebAssembly.instantiate as (...given: unknown[]) => Promise<unknown>;
    WebAssembly.instantiate = (async (...given: unknown[]) => {
      const made = await original.apply(WebAssembly, given);
      noted.began ||= performance.now();
      return made;
    }) as typeof WebAssembly.instantiate;
    new MutationObserver((_, observer) => {
      if (!document.querySelector("a.row .side")) return;
      observer.disconnect();
      // When this frame and the next have been drawn.
      requestAnimationFrame(() => requestAnimationFrame(() => (noted.listed = performance.now())));
    }).observe(document, { childList: true, subtree: true });
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) noted.frozen = Math.max(noted.frozen, task.duration);
    }).observe({ type: "longtask", buffered: true });
    new PerformanceObserver((list) => {
      // One touch is several events: the longest counts.
      for (const event of list.getEntries() as (PerformanceEntry & { interactionId: number })[]) {
        if (!event.interactionId) continue;
        const known = noted.taps[event.interactionId] ?? 0;
        noted.taps[event.interactionId] = Math.max(known, event.duration);
      }
    }).observe({ type: "event", durationThreshold: 16, buffered: true } as PerformanceObserverInit);
  });
}

/** Until a list of customers stands on the screen. */
export async function listed(page: Page): Promise<Noted> {
  await page.waitForFunction(() => window.noted.listed > 0, undefined, { timeout: 300_000 });
  return page.evaluate(() => window.noted);
}

/** When the server said that the phone is in, in ms since the page was opened. */
export function letIn(page: Page): Promise<number> {
  return page.evaluate(() => {
    const all = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    const joins = all.filter((one) => new URL(one.name).pathname === "/api/v1/pairings/join");
    if (joins.length === 0) throw new Error("nobody asked to join");
    return Math.max(...joins.map((one) => one.responseEnd));
  });
}
