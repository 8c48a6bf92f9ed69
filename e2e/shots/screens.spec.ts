// Pictures of the screens in both languages, light and dark, into shots/out.
// They are for eyes and for the documents; nothing is compared.
import path from "node:path";
import { test } from "../support/fixtures";

const LANGUAGES = { en: "en-IN", hi: "hi-IN" } as const;
const SCHEMES = ["light", "dark"] as const;
const SCREENS = {
  khata: "/",
  sale: "/sale",
  reports: "/reports",
  more: "/more",
  start: "/start",
};

for (const [language, locale] of Object.entries(LANGUAGES)) {
  for (const colorScheme of SCHEMES) {
    test(`${language} ${colorScheme}`, async ({ phone }) => {
      const priya = await phone("Priya", { locale: locale as "en-IN" | "hi-IN", colorScheme });
      await priya.page.evaluate(
        (code) => localStorage.setItem("pakka.language", JSON.stringify(code)),
        language,
      );
      for (const [name, at] of Object.entries(SCREENS)) {
        await priya.page.goto(at);
        await priya.page.locator("#loading").waitFor({ state: "detached" });
        await priya.page.evaluate(() => document.fonts.ready);
        const file = `${language}-${colorScheme}-${name}.png`;
        await priya.page.screenshot({ path: path.join("shots/out", file) });
      }
    });
  }
}
