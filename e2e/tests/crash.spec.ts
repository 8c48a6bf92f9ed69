// The battery is pulled, at any moment, while somebody makes entries: what was ticked is there
// afterwards, once.
import type { Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { addCustomer, openShop, type } from "../support/shop";

/** How often; a long run by hand has two hundred. */
const ROUNDS = Number(process.env.PAKKA_CRASH_ROUNDS ?? 10);

/** The most entries in a round, and the latest moment after the last of them. */
const MAX_ENTRIES = 3;
const LATEST_MS = 800;

/** Numbers that look random and are the same in every run (Park and Miller, 1988). */
function chance(): (below: number) => number {
  let seed = 20_261_120;
  return (below) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
}

test("what was ticked is there after the browser was killed, and there once", async ({ phone }) => {
  test.setTimeout(60_000 + ROUNDS * 20_000);
  const meena = await phone("Meena");
  await meena.isStored();
  await openShop(meena.page);
  await addCustomer(meena.page, "Priya");
  const khata = new URL(meena.page.url()).pathname;

  let ticked = 0; // rupees that somebody saw the tick for
  let entries = 0;
  let uncertain = 0; // rounds that ended between a tap and its tick
  const below = chance();
  for (let round = 0; round < ROUNDS; round += 1) {
    let saving = 0;
    const { page } = meena;
    const goal = entries + below(MAX_ENTRIES + 1);
    let reached = () => {};
    const atGoal = new Promise<void>((resolve) => (reached = resolve));
    const makeEntries = async () => {
      for (let rupees = 10 + round; ; rupees += 1) {
        if (entries === goal) reached();
        await page.getByRole("link", { name: "You gave" }).click();
        await type(page, String(rupees));
        saving = rupees;
        await page.getByRole("button", { name: "Save", exact: true }).click();
        // The page shows it with its tick, and the tick alone could be that of the entry before.
        await expect.poll(() => balance(page)).toBe(ticked + rupees);
        ticked += rupees;
        saving = 0;
        entries += 1;
      }
    };
    let isPulled = false;
    const making = makeEntries().catch((reason: unknown) => {
      // It ends because the browser does, and for no other reason.
      if (!isPulled) throw reason;
    });
    await Promise.race([atGoal, making]);
    await new Promise((pulled) => setTimeout(pulled, below(LATEST_MS)));
    isPulled = true;
    await meena.kill();
    await making;

    // An entry whose tick nobody saw may be there or not, but not twice.
    await meena.open(khata);
    const right = [ticked, ticked + saving];
    await expect
      .poll(async () => right.includes(await balance(meena.page)), {
        message: `round ${round}: the balance is one of ${right.join(", ")}`,
      })
      .toBe(true);
    if (saving > 0) uncertain += 1;
    ticked = await balance(meena.page);
  }
  console.log(`${ROUNDS} kills, ${entries} entries ticked, ${uncertain} on the way: 0 lost, 0 doubled`);
  expect(entries).toBeGreaterThan(0);
});

/** The rupees in the card at the top of a customer's page. */
async function balance(page: Page): Promise<number> {
  const shown = await page.locator(".card.balance .amount").first().innerText();
  return Number(shown.replace(/[^\d.]/g, ""));
}
