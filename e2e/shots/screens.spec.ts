// Pictures of the screens of a shop with entries, in both languages, light and
// dark, into shots/out. They are for eyes and for the documents; nothing is
// compared.
import path from "node:path";
import { test } from "../support/fixtures";
import { addCustomer, cashSale, gave, got, openShop, returned, type } from "../support/shop";

const LANGUAGES = ["en", "hi"] as const;
const SCHEMES = ["light", "dark"] as const;

const SCREENS = (customer: string): Record<string, string> => ({
  khata: "/",
  customer,
  give: `${customer}/give`,
  get: `${customer}/get`,
  return: `${customer}/return`,
  statement: `${customer}/statement`,
  details: `${customer}/details`,
  "new-customer": "/customer/new",
  sale: "/sale",
  reports: "/reports",
  month: `/reports/month/${new Date().toISOString().slice(0, 7)}`,
  day: "/reports/day",
  past: "/reports/past",
  disputes: "/reports/disputes",
  tasks: "/tasks",
  more: "/more",
  shop: "/more/shop",
  devices: "/more/devices",
  pair: "/more/pair",
  staff: "/more/staff",
  sync: "/more/sync",
  storage: "/more/storage",
});

test("screens", async ({ phone }) => {
  const meena = await phone("Meena");
  const page = meena.page;
  await page.screenshot({ path: "shots/out/en-light-first-start.png" });
  await openShop(page);
  await page.screenshot({ path: "shots/out/en-light-khata-empty.png" });
  await addCustomer(page, "Amit");
  await gave(page, "150+2*40");
  await got(page, "230");
  await addCustomer(page, "Rohit");
  await gave(page, "2140");
  await addCustomer(page, "Lakshmi Narayan Iyer, Matunga");
  // More than is owed: the app asks, and the answer is yes.
  await page.getByRole("link", { name: "You got" }).click();
  await type(page, "1200");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.screenshot({ path: "shots/out/en-light-question.png" });
  await page.getByRole("button", { name: "Yes, write it" }).click();
  await addCustomer(page, "Priya", "9820012345");
  const customer = new URL(page.url()).pathname;
  await gave(page, "250+180+2*120");
  await got(page, "300", { how: "UPI", reference: "412345678901" });
  await returned(page, "50", "Off the khata");
  await cashSale(page, "2*25+60");

  for (const language of LANGUAGES) {
    await page.evaluate(
      (code) => localStorage.setItem("pakka.language", JSON.stringify(code)),
      language,
    );
    for (const scheme of SCHEMES) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const [name, at] of Object.entries(SCREENS(customer))) {
        await page.goto(at);
        await page.locator("h1").waitFor();
        const file = `${language}-${scheme}-${name}.png`;
        await page.screenshot({ path: path.join("shots/out", file) });
      }
    }
  }
});
