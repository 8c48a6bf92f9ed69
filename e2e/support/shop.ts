// What people do with the app, in the words of the shop.
import { type Page, expect } from "@playwright/test";
import type { Phone } from "./phone";
import type { Server } from "./server";

const SIGN_NAMES: Record<string, string> = {
  "+": "plus",
  "-": "minus",
  "*": "times",
  "=": "equals",
  ".": "point",
};

/** Opens a new shop, as on the first morning. */
export async function openShop(page: Page, name = "Sharma General Store"): Promise<void> {
  await page.getByRole("button", { name: "No, open a new shop" }).click();
  await page.getByLabel("Name of the shop").fill(name);
  await page.getByLabel("Your name").fill("Meena");
  await page.getByRole("button", { name: "Open the khata" }).click();
  await expect(page.getByRole("heading", { name })).toBeVisible();
}

/** Gives the shop its server, with the code that the server printed. */
export async function connect(page: Page, server: Server): Promise<void> {
  await page.goto("/more/sync");
  await page.getByLabel("Code of the server").fill(server.claimCode);
  await page.getByRole("button", { name: "Connect" }).click();
  await expect(page.getByText("Connected")).toBeVisible();
  await allOnServer(page);
}

/** Until the chip says that nothing is only on this phone. */
export async function allOnServer(page: Page): Promise<void> {
  await expect(page.locator(".sync-chip")).toHaveText("all on server", { timeout: 30_000 });
}

export interface NewPhone {
  role?: string;
  /** What the phone calls itself. */
  name?: string;
}

/** Lets a helper's phone in by the code that is read out to them. */
export async function pair(
  owner: Page,
  helper: Page,
  { role = "Helper: makes entries", name = "Helper's phone" }: NewPhone = {},
): Promise<void> {
  await owner.goto("/more/pair");
  await owner.getByText(role).click();
  await owner.getByRole("button", { name: "Show a code" }).click();
  const code = await owner.locator(".code").innerText();

  await helper.getByRole("link", { name: "Yes, join my shop" }).click();
  await helper.getByLabel("Code").fill(code);
  await helper.getByLabel("Name of this phone").fill(name);
  await helper.getByRole("button", { name: "Join" }).click();
  const digits = await helper.locator(".code").innerText();

  await expect(owner.locator(".code")).toHaveText(digits);
  await owner.getByRole("button", { name: "Let it in" }).click();
  await expect(owner.getByText("The phone is in")).toBeVisible();
  await expect(helper.getByRole("navigation", { name: "Main" })).toBeVisible({ timeout: 30_000 });
}

/** A shop in which Priya owes ₹670, on the owner's phone, a helper's and the server. The helper
 * looks at Priya's page. */
export async function openShopOfTwo(
  server: Server,
  phone: (name: string) => Promise<Phone>,
): Promise<[Phone, Phone]> {
  const owner = await phone("Meena");
  const helper = await phone("Raju");
  await openShop(owner.page);
  await addCustomer(owner.page, "Priya");
  await gave(owner.page, "670");
  await connect(owner.page, server);
  await pair(owner.page, helper.page);
  await openCustomer(helper.page, "Priya");
  await allOnServer(helper.page);
  for (const each of [owner, helper]) await each.isStored();
  return [owner, helper];
}

/** The owner takes a phone of this name out of the shop, and the server knows. */
export async function takeOut(owner: Page, name = "Helper's phone"): Promise<void> {
  await owner.goto("/more/devices");
  await owner.getByText(name).click();
  await owner.getByRole("button", { name: "Take this phone out" }).click();
  await owner
    .getByRole("dialog")
    .last()
    .getByRole("button", { name: "Take this phone out" })
    .click();
  await expect(owner.getByText("taken out")).toBeVisible();
  // The chip may still say what was true before the tap; after a reload it speaks of all that is here.
  await owner.reload();
  await allOnServer(owner);
}

/** The owner lets in what was held, the first of it. */
export async function letIn(owner: Page): Promise<void> {
  await owner.goto("/tasks");
  await owner.getByRole("button", { name: "Let in" }).click();
  await expect(owner.locator(".toast")).toBeVisible();
}

/** Adds a customer and stays on the new page. */
export async function addCustomer(page: Page, name: string, phone?: string): Promise<void> {
  await page.goto("/customer/new");
  await page.getByLabel("Name", { exact: true }).fill(name);
  if (phone) await page.getByLabel("Phone", { exact: true }).fill(phone);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
}

/** From the khata to a customer's page. */
export async function openCustomer(page: Page, name: string): Promise<void> {
  await page.goto("/");
  await page.locator(".rows").getByText(name, { exact: true }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
}

/** Types on the keypad, with the thumb: `250+180+2*120`. */
export async function type(page: Page, keys: string): Promise<void> {
  for (const key of keys) {
    await page
      .locator(".keypad")
      .getByRole("button", { name: SIGN_NAMES[key] ?? key, exact: true })
      .click();
  }
}

/** Saves, sees the tick, and is back on the customer's page. */
export async function save(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.locator(".card.balance")).toBeVisible();
  await expect(page.locator(".toast")).toBeVisible();
}

/** Saves, sees the tick, and has an empty keypad for the next sale. */
async function saveSale(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.locator(".reading .huge")).toHaveText("₹0");
  await expect(page.locator(".toast")).toBeVisible();
}

export interface Money {
  how?: "Cash" | "UPI" | "Card";
  reference?: string;
}

/** On a customer's page: goods went out on khata. */
export async function gave(page: Page, keys: string): Promise<void> {
  await page.getByRole("link", { name: "You gave" }).click();
  await type(page, keys);
  await save(page);
}

/** On a customer's page: money came in. */
export async function got(page: Page, keys: string, money: Money = {}): Promise<void> {
  await page.getByRole("link", { name: "You got" }).click();
  await type(page, keys);
  await choose(page, money);
  await save(page);
}

/** On a customer's page: goods came back. */
export async function returned(
  page: Page,
  keys: string,
  refund: "Off the khata" | "Cash" | "UPI",
): Promise<void> {
  await page.getByRole("link", { name: "Return" }).click();
  await type(page, keys);
  await page.getByText(refund, { exact: true }).click();
  await save(page);
}

/** A sale to nobody in particular, paid at once. */
export async function cashSale(page: Page, keys: string, money: Money = {}): Promise<void> {
  await page.goto("/sale");
  await type(page, keys);
  await choose(page, money);
  await saveSale(page);
}

async function choose(page: Page, { how, reference }: Money): Promise<void> {
  if (how) await page.getByText(how, { exact: true }).click();
  if (!reference) return;
  await page.locator(".detail", { hasText: "Reference" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill(reference);
  await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
}

/** On a customer's page: the balance in the card at the top, once the screen has taken in what was
 * done. */
export async function owes(page: Page, amount: string): Promise<void> {
  await expect(page.locator(".card.balance .amount").first()).toHaveText(amount);
}

/** On a customer's page: what each line says, the amount and the running balance. */
export async function lines(page: Page): Promise<string[]> {
  const rows = page.locator(".entries .entry");
  return (await rows.all()).reduce<Promise<string[]>>(async (before, row) => {
    const sums = (await row.locator(".sum").innerText()).replace(/\s+/g, " ");
    return [...(await before), sums.trim()];
  }, Promise.resolve([]));
}
