import { claimSending, upsertCustomer } from "@ballast/database";
import type { RemoteGuard } from "@ballast/jobs";
import { expect, test, vi } from "vitest";
import { PDF, setup, stopSwitch } from "./setup.ts";

test("an invoice is mailed with its PDF, and the ledger says so", async () => {
  await using t = await setup();

  const result = await t.attempt();

  const [mail] = t.server.mails;
  expect(t.server.mails).toHaveLength(1);
  expect(mail?.envelopeTo).toEqual([t.customer.email]);
  expect(mail?.envelopeFrom).toBe(t.company.mailFromAddress);
  expect(mail?.parsed.subject).toBe(`Rechnung ${t.invoice.number} von ${t.company.legalName}`);
  expect(mail?.parsed.messageId).toBe(result.messageId);
  expect(mail?.parsed.replyTo?.text).toContain(t.company.email);
  expect(mail?.parsed.text?.replace(/\u00a0/g, " ")).toContain("57,84 €");
  expect(mail?.parsed.attachments).toHaveLength(1);
  expect(mail?.parsed.attachments[0]?.content.equals(PDF)).toBe(true);
  expect(mail?.parsed.attachments[0]?.filename).toBe(`Rechnung-${t.invoice.number}.pdf`);
  expect(await t.deliveries()).toMatchObject([
    { state: "sent", messageId: result.messageId, response: "250 2.0.0 Ok: queued", ordinal: 1 },
  ]);
  expect(t.results).toEqual(["accepted"]);
});

test("a second run of the same mail answers with the first and sends nothing", async () => {
  await using t = await setup();
  const first = await t.attempt();

  expect(await t.attempt()).toEqual(first);
  expect(t.server.mails).toHaveLength(1);
});

test("of many runs at once one sends, and the others wait for it", async () => {
  await using t = await setup();

  const runs = await Promise.allSettled(Array.from({ length: 8 }, () => t.attempt()));

  expect(t.server.mails).toHaveLength(1);
  const failed = runs.filter((run) => run.status === "rejected").map(({ reason }) => reason.code);
  expect(new Set(failed)).toEqual(new Set(["delivery_in_progress"]));
  expect(runs.length - failed.length).toBeGreaterThanOrEqual(1);
});

test("a run that had sent the mail is found out even where the customer's address changed since", async () => {
  await using t = await setup();
  const first = await t.attempt();
  await upsertCustomer(t.database.kysely, { ...t.customer, email: "new@kundin.example" });

  expect(await t.attempt()).toEqual(first);
  expect(t.server.mails).toHaveLength(1);
});

test("the next ordinal is another mail", async () => {
  await using t = await setup();
  const first = await t.attempt();

  const second = await t.attempt({ payload: { ...t.payload, ordinal: 2 } });

  expect(second.messageId).not.toBe(first.messageId);
  expect(t.server.mails).toHaveLength(2);
});

test.each([
  ["greeting", "smtp_down"],
  ["rcpt", "smtp_down"],
  ["data", "smtp_down"],
  ["body", "outcome_unknown"],
  ["message", "outcome_unknown"],
] as const)(
  "a connection dropped at %s is %s, and no second copy ever leaves",
  async (at, code) => {
    await using t = await setup({ smtp: { behaviour: { kind: "drop", at } } });

    await expect(t.attempt()).rejects.toMatchObject({ code });
    t.server.behave({ kind: "accept" });
    const [again] = await Promise.allSettled([t.attempt()]);

    if (code === "smtp_down") {
      expect(again?.status).toBe("fulfilled");
      expect(t.server.mails).toHaveLength(1);
    } else {
      expect(again).toMatchObject({ status: "rejected", reason: { code } });
      expect(t.server.mails).toHaveLength(at === "message" ? 1 : 0);
      expect(await t.deliveries()).toMatchObject([{ state: "unknown", errorCode: code }]);
    }
  },
);

test("an unknown outcome says what to do", async () => {
  await using t = await setup({ smtp: { behaviour: { kind: "drop", at: "message" } } });

  const error = await t.attempt().catch((thrown) => thrown);

  expect(error.name).toBe("PermanentError");
  expect(error.message).toContain((await t.deliveries())[0]?.messageId);
  expect(error.message).toContain("send again with a reason");
});

test("a server that stays down closes its gate: the next mail asks nobody and writes nothing", async () => {
  await using t = await setup();
  await t.server[Symbol.asyncDispose]();

  for (let n = 0; n < 5; n++)
    await expect(t.attempt()).rejects.toMatchObject({
      name: "DependencyDownError",
      code: "smtp_down",
    });
  expect(t.results).toHaveLength(5);
  const [before] = await t.deliveries();
  const closed = await t.attempt().catch((thrown) => thrown);
  expect(closed).toMatchObject({ name: "DependencyDownError", code: "gate_closed" });
  expect(closed.retryAfterMs).toBeGreaterThan(0);
  expect(closed.retryAfterMs).toBeLessThanOrEqual(2_200);
  expect(t.results).toHaveLength(5);
  expect(await t.deliveries()).toEqual([before]);
  expect(before).toMatchObject({ state: "planned" });
});

test("a login that is refused closes the gate at once, and says so without the server's words", async () => {
  await using t = await setup({
    smtp: { behaviour: { kind: "reply", at: "rcpt", code: 535, text: "5.7.8 for <a@b.example>" } },
  });
  await expect(t.attempt()).rejects.toMatchObject({ code: "smtp_down" });
  await expect(t.attempt()).rejects.toMatchObject({
    code: "gate_closed",
    message: expect.stringMatching(/auth_failed: the mail server refuses our login/),
  });
});

test("what became of a mail is kept where its gate cannot be written", async () => {
  const broken: RemoteGuard = {
    admit: async () => {},
    async call(_options, call) {
      await call();
      throw new Error("PostgreSQL is away");
    },
  };
  await using t = await setup({ deps: { guard: broken } });
  await t.attempt();
  expect(await t.deliveries()).toMatchObject([{ state: "sent" }]);
});

test.each([
  ["rcpt", 450, "4.2.0 greylisted"],
  ["message", 452, "4.3.1 disk full"],
] as const)(
  "a refusal for now at %s gives the claim back and is tried again",
  async (at, code, text) => {
    await using t = await setup({ smtp: { behaviour: { kind: "reply", at, code, text } } });

    await expect(t.attempt()).rejects.toMatchObject({
      name: "TransientError",
      code: "refused_for_now",
      message: expect.stringContaining(`${code} ${text}`),
    });
    expect(await t.deliveries()).toMatchObject([{ state: "planned" }]);
    t.server.behave({ kind: "accept" });
    await t.attempt();
    expect(t.server.mails).toHaveLength(1);
  },
);

test.each(["rcpt", "message"] as const)(
  "a refusal for good at %s is dead at once, with the server's words and nobody's address",
  async (at) => {
    const text = "5.1.1 <eingang@kundin.example>: user unknown";
    await using t = await setup({ smtp: { behaviour: { kind: "reply", at, code: 550, text } } });

    const error = await t.attempt().catch((thrown) => thrown);

    expect(error).toMatchObject({ name: "PermanentError", code: "refused" });
    expect(error.message).toContain("550 5.1.1 <[mail]>: user unknown");
    expect(await t.deliveries()).toMatchObject([{ state: "rejected", response: `550 ${text}` }]);
    t.server.behave({ kind: "accept" });
    await expect(t.attempt()).rejects.toMatchObject({ code: "refused" });
    expect(t.server.mails).toHaveLength(0);
  },
);

test("a mail that another attempt is sending is waited for until its lease ends", async () => {
  await using t = await setup({ smtp: { behaviour: { kind: "drop", at: "rcpt" } } });
  await t.attempt().catch(() => {}); // plans the mail
  const id = (await t.deliveries())[0]?.id ?? "";
  await claimSending(t.database.kysely, id, 60_000);

  const error = await t.attempt().catch((thrown) => thrown);

  expect(error).toMatchObject({ name: "RateLimitedError", code: "delivery_in_progress" });
  expect(error.retryAfterMs).toBeGreaterThan(55_000);
  expect(error.retryAfterMs).toBeLessThan(61_000);
});

test("a mail whose sender died is unknown once its lease has ended, and is not sent", async () => {
  await using t = await setup({ smtp: { behaviour: { kind: "drop", at: "greeting" } } });
  await t.attempt().catch(() => {}); // plans the mail
  await claimSending(t.database.kysely, (await t.deliveries())[0]?.id ?? "", 0);
  t.server.behave({ kind: "accept" });

  await expect(t.attempt()).rejects.toMatchObject({ code: "outcome_unknown" });
  expect(t.server.mails).toHaveLength(0);
});

test("told to stop before the server's 354, it lets go at once and gives the claim back", async () => {
  await using t = await setup({ smtp: { behaviour: { kind: "silence", at: "rcpt" } } });
  const { stop, ...attempt } = stopSwitch();

  const running = t.attempt(attempt);
  await t.server.reached("rcpt");
  stop();

  await expect(running).rejects.toThrow("let go");
  expect(await t.deliveries()).toMatchObject([{ state: "planned" }]);
  expect(t.server.mails).toHaveLength(0);
});

test("told to stop after the server's 354, it waits and records what became of the mail", async () => {
  await using t = await setup({ smtp: { behaviour: { kind: "silence", at: "message" } } });
  const { stop, ...attempt } = stopSwitch();

  const running = t.attempt(attempt);
  await t.server.waitForMails(1);
  stop();
  expect(attempt.signal.aborted).toBe(false);
  t.server.hangUp();

  await expect(running).rejects.toMatchObject({ code: "outcome_unknown" });
  expect(await t.deliveries()).toMatchObject([{ state: "unknown" }]);
});

test("cut off after the server's 354, it leaves the outcome unknown", async () => {
  await using t = await setup({ smtp: { behaviour: { kind: "silence", at: "message" } } });
  const { cut, ...attempt } = stopSwitch();

  const running = t.attempt(attempt);
  await t.server.waitForMails(1);
  cut();

  await expect(running).rejects.toMatchObject({ code: "outcome_unknown" });
  expect(await t.deliveries()).toMatchObject([{ state: "unknown" }]);
});

test("told to stop before it begins, it writes nothing", async () => {
  await using t = await setup();
  const { stop, lease } = stopSwitch();
  stop();

  await expect(t.attempt({ lease })).rejects.toThrow("let go");
  expect(await t.deliveries()).toEqual([]);
});

test("a ledger that blinks after the mail was taken is written when it is back", async () => {
  await using t = await setup();
  const update = vi.spyOn(t.database.kysely, "updateTable");
  t.server.behave(() => {
    // The claim is written. The next two writes fail as they do while PostgreSQL restarts.
    while (failures.length > 0) update.mockImplementationOnce(failures.pop() as never);
    return { kind: "accept" };
  });
  const failures = [1, 2].map(() => () => {
    throw new Error("terminating connection due to administrator command");
  });

  await t.attempt();

  expect(await t.deliveries()).toMatchObject([{ state: "sent" }]);
  expect(t.server.mails).toHaveLength(1);
});
