// Prints what the letters use that Gmail, Outlook or Apple Mail do not support, as JSON:
// { "feature": ["client", …] }. Data and names are caniemail.com's.
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

const clients = ["gmail.*", "outlook.*", "apple-mail.*"];
const found = {};

for (const path of process.argv.slice(2)) {
  const { issues } = caniemail({ clients, html: readFileSync(path, "utf-8") });
  for (const [client, errors] of issues.errors) {
    for (const { title } of errors) (found[title] ??= new Set()).add(client);
  }
}

const sorted = Object.keys(found).sort();
console.log(JSON.stringify(Object.fromEntries(sorted.map((t) => [t, [...found[t]].sort()]))));
