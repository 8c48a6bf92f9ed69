// One figure of the table: a JSON object on a line of its own, as the benches in Rust print them.
import { appendFileSync } from "node:fs";

/** Small sizes, to see that everything runs; the figures are worth nothing. */
export const QUICK = Boolean(process.env.PAKKA_BENCH_QUICK);

export const size = (full: number, quick: number): number => (QUICK ? quick : full);

export interface Figure {
  name: string;
  what: string;
  unit: string;
  /** What was measured in several runs: their median counts. */
  runs: number[];
  goal?: number;
  goalIs?: "at least" | "at most" | "times peer";
  peer?: { name: string; runs: number[] };
  /** More to know. */
  more?: Record<string, number | string>;
}

export function row({ name, what, unit, runs, goal, goalIs, peer, more }: Figure): void {
  const value = median(runs);
  const beside = peer && median(peer.runs);
  print({
    name,
    what,
    unit,
    value: rounded(value),
    runs: runs.map(rounded),
    goal: goal === undefined ? null : rounded(goal),
    goal_is: goalIs ?? null,
    peer: beside === undefined ? null : rounded(beside),
    peer_name: peer?.name ?? null,
    peer_runs: peer?.runs.map(rounded),
    ratio: beside === undefined ? null : rounded(value / beside),
    ...Object.fromEntries(
      Object.entries(more ?? {}).map(([key, it]) => [key, typeof it === "number" ? rounded(it) : it]),
    ),
  });
}

function print(figure: Record<string, unknown>): void {
  const line = `${JSON.stringify(figure)}\n`;
  const file = process.env.PAKKA_BENCH_ROWS;
  if (file) appendFileSync(file, line);
  else process.stdout.write(line);
}

export function percentile(values: number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(((sorted.length - 1) * percent) / 100)] ?? Number.NaN;
}

export const median = (values: number[]): number => percentile(values, 50);

const rounded = (value: number): number => {
  const scale = Math.abs(value) < 100 ? 1000 : 1;
  return Math.round(value * scale) / scale;
};
