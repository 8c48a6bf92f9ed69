// `npm run shots`: pictures of every screen, for eyes. Not a test.
import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

export default defineConfig({ ...base, testDir: "shots", outputDir: "test-results/shots" });
