// `npm run bench`: how long things take on a phone. `cargo xtask bench phone` builds what it needs
// and makes a table of what it prints.
import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

export default defineConfig({
  ...base,
  testDir: "bench",
  outputDir: "test-results/bench",
  timeout: 10 * 60_000,
  globalTimeout: 30 * 60_000,
  reporter: "line",
});
