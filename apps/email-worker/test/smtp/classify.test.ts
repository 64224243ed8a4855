import { expect, test } from "vitest";
import { classify, type SmtpFailure, type Stage } from "../../src/smtp/classify.ts";

const replied = (response: string, code = "EENVELOPE"): SmtpFailure => ({
  message: `It failed: ${response}`,
  code,
  response,
  responseCode: Number(response.slice(0, 3)),
});
const silent = (code: string, message = "Connection closed unexpectedly"): SmtpFailure => ({
  message,
  code,
});

const TABLE: readonly [string, Stage, SmtpFailure, string][] = [
  // Before any session stands, nothing says anything about the mail.
  ["refused connection", "session", silent("ESOCKET", "connect ECONNREFUSED"), "server_down"],
  ["unknown host", "session", silent("EDNS"), "server_down"],
  ["no greeting", "session", silent("ETIMEDOUT"), "server_down"],
  ["greeting 554", "session", replied("554 no service here", "EPROTOCOL"), "server_down"],
  ["greeting 421", "session", replied("421 too busy", "EPROTOCOL"), "server_down"],
  ["TLS refused", "session", replied("454 TLS not available", "ETLS"), "server_down"],
  ["certificate", "session", silent("ESOCKET", "self-signed certificate"), "server_down"],
  ["wrong password", "session", replied("535 5.7.8 no", "EAUTH"), "server_down"],
  ["login deferred", "session", replied("454 4.7.0 later", "EAUTH"), "server_down"],
  // The envelope: a reply is about this mail, unless it is about the server or the login.
  ["RCPT 450", "envelope", replied("450 4.2.0 greylisted"), "refused_for_now"],
  ["RCPT 452", "envelope", replied("452 4.2.2 mailbox full"), "refused_for_now"],
  ["RCPT 550", "envelope", replied("550 5.1.1 no such user"), "refused"],
  ["MAIL 552", "envelope", replied("552 5.3.4 too big"), "refused"],
  ["DATA 451", "envelope", replied("451 4.3.0 try later"), "refused_for_now"],
  ["DATA 554", "envelope", replied("554 5.7.1 policy"), "refused"],
  ["RCPT 421", "envelope", replied("421 4.3.2 shutting down"), "server_down"],
  ["421 on its own", "envelope", replied("421 closing", "ECONNECTION"), "server_down"],
  ["MAIL 530", "envelope", replied("530 5.7.0 log in first"), "server_down"],
  ["MAIL 535", "envelope", replied("535 5.7.8 no"), "server_down"],
  ["broken connection", "envelope", silent("ECONNECTION"), "server_down"],
  ["silence", "envelope", silent("ETIMEDOUT", "Timeout"), "server_down"],
  ["nonsense reply", "envelope", replied("999 what", "EPROTOCOL"), "server_down"],
  ["larger than SIZE", "envelope", silent("EMESSAGE", "Message size larger"), "refused"],
  ["no envelope", "envelope", silent("EENVELOPE", "Invalid recipient"), "refused"],
  // After 354: only a reply tells.
  ["body 451", "message", replied("451 4.3.0 no disk", "EMESSAGE"), "refused_for_now"],
  ["body 550", "message", replied("550 5.7.1 spam", "EMESSAGE"), "refused"],
  ["body 421", "message", replied("421 4.3.2 shutting down", "EMESSAGE"), "server_down"],
  ["broken connection", "message", silent("ECONNECTION"), "unknown"],
  ["reset", "message", silent("ESOCKET", "read ECONNRESET"), "unknown"],
  ["silence", "message", silent("ETIMEDOUT", "Timeout"), "unknown"],
  ["our own abort", "message", { message: "aborted" }, "unknown"],
  ["a reply that is none", "message", replied("354 go on", "EMESSAGE"), "unknown"],
];

test.each(TABLE)("%s at %s", (_what, stage, failure, kind) => {
  expect(classify(failure, stage).kind).toBe(kind);
});

test("only a server that refuses our login is said to", () => {
  const refuses = (reply: string, stage: Stage) => classify(replied(reply), stage);
  for (const [reply, stage] of [
    ["535 5.7.8 no", "session"],
    ["530 5.7.0 log in first", "envelope"],
  ] as const)
    expect(refuses(reply, stage)).toMatchObject({ kind: "server_down", refusesLogin: true });
  expect(refuses("421 too busy", "session")).not.toHaveProperty("refusesLogin");
  expect(refuses("454 4.7.0 later", "session")).not.toHaveProperty("refusesLogin");
});

test("the server's own words are kept", () => {
  const response = "550 5.1.1 <customer@example.org>: user unknown";

  expect(classify(replied(response), "envelope")).toEqual({ kind: "refused", response });
  expect(classify(replied("450 4.2.0 later"), "envelope")).toEqual({
    kind: "refused_for_now",
    response: "450 4.2.0 later",
    code: 450,
  });
});
