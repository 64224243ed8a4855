import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { createApiKey } from "@ballast/database";
import { untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { readPdfText } from "../pdf-text.ts";
import { openClient } from "../stack/client.ts";

/** Names and notes that try to make the browser fetch, run or read something. */
const tricks = (port: number, secretFile: string) => [
  `<img src=x onerror="fetch('http://127.0.0.1:${port}/onerror')">{{7*7}}`,
  `<script>new WebSocket('ws://127.0.0.1:${port}/ws')</script>`,
  `<iframe src="http://127.0.0.1:${port}/frame"></iframe>`,
  `<link rel=preconnect href="http://127.0.0.1:${port}">`,
  `<style>@import url(http://127.0.0.1:${port}/css)</style>`,
  `<object data="file://${secretFile}"></object>`,
  `<embed src="http://169.254.169.254/latest/meta-data/">`,
  `"><svg onload="new RTCPeerConnection({iceServers:[{urls:'stun:127.0.0.1:${port}'}]})">`,
  `</td></tr></table><meta http-equiv=refresh content="0;url=http://127.0.0.1:${port}/meta">`,
  "\u202eSTEKRAM\u202c",
];

/** Customers with hostile names: printed as they are, nothing fetched, nobody else's rows shown. */
export const hostileInput = defineDrill({
  name: "hostile-input",
  promise:
    "hostile names, notes, addresses and the wrong company's key: no connection, printed literally, 404",
  sabotages: [
    {
      without: "names being escaped",
      file: "apps/pdf-worker/src/invoice/markup.ts",
      find: `.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");`,
      replace: ";",
    },
    {
      without: "a key reaching its own company alone",
      file: "apps/api/src/http/caller.ts",
      find: 'export const scopeOf = (caller: Caller): CompanyScope => caller.companyId ?? "all";',
      replace: 'export const scopeOf = (_caller: Caller): CompanyScope => "all";',
    },
  ],
  async run(t) {
    let connections = 0;
    const trap = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(trap, "listening");
    const { port } = trap.address() as AddressInfo;
    const stack = await t.open({ apps: { "pdf-worker": 1, "email-worker": 1 } });
    const secretFile = join(mkdtempSync(join(stack.folder, "secret-")), "secret.txt");
    writeFileSync(secretFile, "the-content-of-a-local-file");

    t.tell("invoices to customers with hostile names");
    const names = tricks(port, secretFile).slice(0, t.sized(10, 10));
    const invoices = await Promise.all(
      names.map((name, n) => stack.invoice({ name, email: `hostile-${n}@kundin.example` })),
    );
    for (const { invoice } of invoices) await stack.api.post(`/v1/invoices/${invoice.id}/send`);
    await untilAllOver(stack.db, 60_000);
    const texts = await Promise.all(
      invoices.map(async ({ invoice }) =>
        readPdfText((await stack.api.get(`/v1/invoices/${invoice.id}/document`)).bytes),
      ),
    );
    const literal = texts.filter((text, n) => {
      const printed = (names[n] ?? "").replaceAll(/[\u202a-\u202e]/g, "").replaceAll(/\s+/g, "");
      return text.includes(printed.slice(0, 24));
    }).length;
    const leaked = texts.filter((text) => text.includes("the-content-of-a-local-file")).length;

    t.tell("mail headers");
    const headers = stack.smtp.mails.map(
      ({ raw }) => raw.toString("latin1").split("\r\n\r\n")[0] ?? "",
    );
    const injected = headers.filter((head) => /^(bcc|x-injected):/im.test(head)).length;

    t.tell("the key of another company");
    const [victim, other] = invoices;
    const { key } = await createApiKey(stack.db.kysely, {
      name: "other",
      companyId: other?.company.id ?? null,
      scopes: ["read", "write", "operate"],
    });
    const stranger = openClient(() => stack.apiUrls(), key);
    const id = victim?.invoice.id ?? randomUUID();
    const refusals = await Promise.all([
      stranger.get(`/v1/invoices/${id}`),
      stranger.get(`/v1/invoices/${id}/document`),
      stranger.post(`/v1/invoices/${id}/send`),
      stranger.post(`/v1/invoices/${id}/void`),
    ]);
    trap.close();

    t.figure("tricks", names.length);
    t.figure("connections", connections);
    t.figure("printedLiterally", literal);
    t.figure("mails", stack.smtp.mails.length);
    t.must("nothing is fetched", connections === 0);
    t.must("no local file is read", leaked === 0);
    t.must("every name is printed as it is", literal === names.length);
    t.must("every mail goes out", stack.smtp.mails.length === names.length);
    t.must("no header is injected", injected === 0);
    t.must(
      "what belongs to another company is not there",
      refusals.every(({ status }) => status === 404),
    );
  },
});
