import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { launchBrowser } from "../src/browser.ts";
import { openTestPrinter, testChromium } from "./open-test-printer.ts";
import { readPdf } from "./read-pdf.ts";

/** A server that counts connections, requested or only opened. */
async function startWitness() {
  let connections = 0;
  const server = createServer((_, response) => response.end("secret"));
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const everyWayOut = (url: string, port: number): string => `
  <html><head>
  <link rel="stylesheet" href="${url}/style.css">
  <link rel="preload" as="image" href="${url}/preload.png">
  <link rel="prefetch" href="${url}/prefetch">
  <link rel="preconnect" href="${url}">
  <link rel="dns-prefetch" href="//localhost:${port}">
  <style>
    @import url("${url}/import.css");
    @font-face { font-family: "Stolen"; src: url("${url}/font.woff2") }
    p { font-family: "Stolen"; background-image: url("${url}/background.png") }
    ul { list-style-image: url("http://localhost:${port}/list.png") }
  </style>
  </head><body>
  <p>printed</p><ul><li>item</li></ul>
  <img src="${url}/image.png"><img srcset="${url}/set.png 2x" src="${url}/x.png">
  <img src="http://[::1]:${port}/v6.png">
  <iframe src="${url}/frame"></iframe><iframe srcdoc="<img src='${url}/inner.png'>"></iframe>
  <iframe src="file:///etc/passwd"></iframe>
  <img src="${pathToFileURL(import.meta.filename)}">
  <object data="${url}/object"></object><embed src="${url}/embed">
  <video src="${url}/video" autoplay poster="${url}/poster.png"></video><audio src="${url}/audio" autoplay></audio>
  <svg><image href="${url}/svg.png"/><use href="${url}/use.svg#x"/></svg>
  <iframe src="data:text/html,<img src='${url}/within-data.png'><iframe src='file:///etc/passwd'></iframe>"></iframe>
  <object data="data:text/html,<img src='${url}/within-object.png'>"></object>
  <img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><image href='${url}/within-svg.png'/></svg>">
  <embed src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><image href='${url}/within-embed.png'/></svg>">
  <iframe srcdoc="<meta http-equiv=refresh content='0;url=file:///etc/passwd'>"></iframe>
  <link rel="modulepreload" href="${url}/module.js"><link rel="icon" href="${url}/icon.ico">
  <table background="${url}/table.png"><tr><td>x</td></tr></table><input type="image" src="${url}/input.png">
  <video><track src="${url}/track.vtt" default></video>
  <script src="${url}/script.js"></script>
  <script>fetch("${url}/fetch"); new WebSocket("ws://127.0.0.1:${port}/socket")</script>
  </body></html>`;

test("a document reaches nobody, and each request it tried is counted by its scheme", async () => {
  await using witness = await startWitness();
  await using t = await openTestPrinter();

  const { pdf } = await t.print(everyWayOut(witness.url, witness.port));

  expect(witness.connections()).toBe(0);
  expect(t.refused.filter((scheme) => scheme === "http").length).toBeGreaterThanOrEqual(10);
  const { text } = await readPdf(pdf);
  expect(text).toContain("printed");
  expect(text).not.toContain("secret");
  expect(text).not.toContain("root:");
});

test("a browser reaches nobody by itself, should the firewall of a page have a hole", async () => {
  await using witness = await startWitness();
  const own = await launchBrowser({ ...testChromium(), protocolTimeoutMs: 10_000 });
  await using _closing = { [Symbol.asyncDispose]: () => own.close() };
  const page = await own.browser.newPage();
  const outcome = page.waitForRequest((request) => request.url().endsWith("/fetch"));

  await page.setContent(everyWayOut(witness.url, witness.port));
  await outcome;
  await page.pdf();

  expect(witness.connections()).toBe(0);
});

test("a document that sends its reader elsewhere does not get there", async () => {
  await using witness = await startWitness();
  await using t = await openTestPrinter({ timeoutMs: 3_000 });

  await t
    .print(`<meta http-equiv="refresh" content="0;url=${witness.url}/moved"><p>here</p>`)
    .catch(() => {});
  await expect(t.print("<p>next</p>")).resolves.toMatchObject({ pageCount: 1 });

  expect(witness.connections()).toBe(0);
});

test("fonts and images within the document are not requests", async () => {
  await using t = await openTestPrinter();
  const dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

  await t.print(`<style>p{background:url(${dot})}</style><p>x</p><img src="${dot}">`);

  expect(t.refused).toEqual([]);
});
