// Runs the checks by hand: npm run differential -- --count 10000 --seed 7 [--only acceptance,shape,rewriting]
import { parseArgs } from "node:util";
import { checkShapes, compareAcceptance, compareRewritings, prepare } from "./checks.mjs";

const { values } = parseArgs({
  options: {
    address: { type: "string", default: process.env.KURULTAI_URL ?? "http://127.0.0.1:8080" },
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: "string", default: "acceptance,shape,rewriting" },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const only = new Set(values.only.split(","));
console.log(`seed ${seed}, ${count} requests for each check`);
const server = await prepare(values.address);
let failures = 0;

if (only.has("acceptance")) {
  const { statistics, differences, limited, reports } = await compareAcceptance(server, { count, seed });
  for (const [fault, { accepted, rejected }] of [...statistics].sort()) console.log(`  ${fault}: ${accepted} valid, ${rejected} invalid`);
  console.log(`acceptance: ${differences.length} differences, ${limited} beyond a limit`);
  console.log(reports.join("\n"));
  failures += differences.length;
}
if (only.has("shape")) {
  const { problems, statistics } = await checkShapes(server, { count, seed });
  const { nullableLists, ...counts } = statistics;
  console.log(`shape: ${problems.length} problems;`, counts);
  const neverNull = [...nullableLists].filter(([, { nulls }]) => nulls === 0);
  console.log(`nullable lists that were never null: ${neverNull.map(([path, { values: count }]) => `${path} (${count})`).join(", ")}`);
  console.log(problems.slice(0, 10).join("\n\n"));
  failures += problems.length;
}
if (only.has("rewriting")) {
  const { problems, statistics } = await compareRewritings(server, { count, seed });
  console.log(`rewriting: ${problems.length} problems;`, statistics);
  console.log(problems.slice(0, 5).join("\n\n"));
  failures += problems.length;
}
process.exitCode = failures > 0 ? 1 : 0;
