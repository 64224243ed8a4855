import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { type SmtpBehaviour, startSmtpServer } from "../src/index.ts";

const MAIL = [
  "MAIL FROM:<a@x.example>",
  "RCPT TO:<b@y.example>",
  "DATA",
  "Subject: Hello\r\n\r\nBody\r\n.",
];

/** Say each line once the one before was answered; the codes of the answers, up to a broken connection. */
async function talk(port: number, lines: readonly string[]): Promise<string[]> {
  const socket: Socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}); // a reset is one of the answers asked for
  const codes: string[] = [];
  let next = 0;
  const said = ["EHLO client.example", ...lines];
  const reader = createInterface({ input: socket });
  reader.on("error", () => {});
  reader.on("line", (line) => {
    if (line[3] === "-") return; // more of the same answer follows
    codes.push(line.slice(0, 3));
    const reply = said[next];
    next += 1;
    if (reply === undefined || Number(line.slice(0, 3)) >= 400) socket.end();
    else socket.write(`${reply}\r\n`);
  });
  await once(socket, "close");
  return codes;
}

test("it takes a mail and keeps it, envelope and parsed text", async () => {
  await using smtp = await startSmtpServer();
  expect(await talk(smtp.port, MAIL)).toEqual(["220", "250", "250", "250", "354", "250"]);
  const [mail] = await smtp.waitForMails(1);
  expect(mail).toMatchObject({
    envelopeFrom: "a@x.example",
    envelopeTo: ["b@y.example"],
    parsed: { subject: "Hello", text: "Body\n" },
  });
});

const ended = (kept: number, ...codes: string[]) => ({ codes, kept });
test.each<[SmtpBehaviour, { codes: string[]; kept: number }]>([
  [{ kind: "reply", at: "greeting", code: 421, text: "later" }, ended(0, "421")],
  [{ kind: "reply", at: "rcpt", code: 550, text: "no" }, ended(0, "220", "250", "250", "550")],
  [
    { kind: "reply", at: "message", code: 451, text: "later" },
    ended(0, "220", "250", "250", "250", "354", "451"),
  ],
  [{ kind: "drop", at: "rcpt" }, ended(0, "220", "250", "250")],
  [{ kind: "drop", at: "data" }, ended(0, "220", "250", "250", "250")],
  [{ kind: "drop", at: "body" }, ended(0, "220", "250", "250", "250", "354")],
  [{ kind: "drop", at: "message" }, ended(1, "220", "250", "250", "250", "354")],
])("told to %o, it does so", async (behaviour, expected) => {
  await using smtp = await startSmtpServer();
  smtp.behave(behaviour);
  const codes = await talk(smtp.port, MAIL);
  expect({ codes, kept: smtp.mails.length }).toEqual(expected);
});

test("silent at a recipient, it says nothing until the connection is broken", async () => {
  await using smtp = await startSmtpServer({ behaviour: { kind: "silence", at: "rcpt" } });
  const reached = smtp.reached("rcpt");
  const talking = talk(smtp.port, MAIL);
  await reached;
  smtp.hangUp();
  expect(await talking).toEqual(["220", "250", "250"]);
});
