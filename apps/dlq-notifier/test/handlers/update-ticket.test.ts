import { type HttpBehaviour, type RecordedRequest, startHttpRecorder } from "@ballast/testing";
import { expect, test, vi } from "vitest";
import { updateTicketHandler } from "../../src/handlers/update-ticket.ts";
import { openTicketSystem, type TicketSettings } from "../../src/tickets/open-ticket-system.ts";
import { unguarded } from "../unguarded.ts";
import { HIDDEN, privateFieldsOf, setup as setupIncident } from "./setup.ts";

/** A machine may be slow for a minute. */
vi.setConfig({ testTimeout: 90_000 });

type System = keyof TicketSettings;

const settings = (system: System, url: string): TicketSettings =>
  ({
    github: { github: { repository: "acme/erp", token: "ghp-secret", apiUrl: url } },
    jira: {
      jira: {
        url,
        email: "bot@example.org",
        token: "jira-secret",
        project: "OPS",
        issueType: "Bug",
      },
    },
    webhook: { webhook: { url, secret: "a secret of some length" } },
  })[system];

/** Answers as the real systems do, and keeps what was opened and said. */
function remote(system: System) {
  const issues: RecordedRequest[] = [];
  const comments: RecordedRequest[] = [];
  const ok = (status: number, body: object): HttpBehaviour => ({ kind: "answer", status, body });
  /** One for each marker, and the same for a marker that is asked for again. */
  const labelled = (marker: string) =>
    issues.findIndex(
      ({ json, headers }) => markerIn(json) === marker || headers["idempotency-key"] === marker,
    );
  const github = (request: RecordedRequest): HttpBehaviour => {
    const issueAt = (at: number) => ({
      number: 42 + at,
      html_url: `https://github.com/acme/erp/issues/${42 + at}`,
    });
    const { method, path } = request;
    if (method === "GET" && path.includes("/comments"))
      return ok(
        200,
        comments.map(({ json }) => json as object),
      );
    if (method === "GET") {
      const at = labelled(new URL(path, "http://github").searchParams.get("labels") ?? "");
      return ok(200, at < 0 ? [] : [issueAt(at)]);
    }
    (path.endsWith("/comments") ? comments : issues).push(request);
    return ok(201, issueAt(issues.length - 1));
  };
  const jira = (request: RecordedRequest): HttpBehaviour => {
    const { method, path } = request;
    if (path === "/rest/api/3/search/jql") {
      const { jql } = request.json as { jql: string };
      const at = labelled(/labels = "([^"]+)"/.exec(jql)?.[1] ?? "");
      return ok(200, { issues: at < 0 ? [] : [{ key: `OPS-${7 + at}` }] });
    }
    if (method === "GET") return ok(200, { comments: comments.map(({ json }) => json) });
    (path.endsWith("/comment") ? comments : issues).push(request);
    return ok(201, { key: `OPS-${6 + issues.length}` });
  };
  const webhook = (request: RecordedRequest): HttpBehaviour => {
    const isOpen = (request.json as { action: string }).action === "open";
    const known = isOpen ? labelled(request.headers["idempotency-key"] as string) : -1;
    if (known < 0) (isOpen ? issues : comments).push(request);
    const id = 9 + (known < 0 ? issues.length - 1 : known);
    return ok(200, isOpen ? { id, url: `https://desk.example/${id}` } : {});
  };
  return { issues, comments, answer: { github, jira, webhook }[system] };
}

/** The last label of a ticket of GitHub or Jira. */
function markerIn(json: unknown): string | undefined {
  const { labels, fields } = json as { labels?: string[]; fields?: { labels: string[] } };
  return (labels ?? fields?.labels)?.at(-1);
}

async function setup(system: System) {
  const stack = new AsyncDisposableStack();
  const t = stack.use(await setupIncident());
  const server = remote(system);
  const http = stack.use(await startHttpRecorder(server.answer));
  const open = (tickets = openTicketSystem(settings(system, http.url), unguarded)) =>
    updateTicketHandler({
      db: t.db,
      tickets,
      privateFieldsOf,
      apiUrl: "https://ballast.example.org",
    });
  const update = (handler = open(), incidentId = t.incidentId) =>
    t.run<{ url: string }>(handler, { incidentId });
  return { ...t, ...server, http, open, update, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const URLS = {
  github: () => "https://github.com/acme/erp/issues/42",
  jira: (site: string) => `${site}/browse/OPS-7`,
  webhook: () => "https://desk.example/9",
};
const systems = Object.keys(URLS) as System[];

test.each(systems)(
  "%s: one ticket per incident, its address kept, however often it is asked for",
  async (system) => {
    await using t = await setup(system);
    const url = URLS[system](t.http.url);
    expect(await t.update()).toEqual({ url });
    expect(await t.update()).toEqual({ url });
    expect(t.issues).toHaveLength(1);
    expect(t.comments).toHaveLength(0);
    expect(await t.incident()).toMatchObject({
      state: "ticketed",
      ticketSystem: system,
      ticketUrl: url,
      ticketToldCount: 3n,
    });
  },
);

test.each(["github", "jira"] as const)(
  "%s: a ticket whose answer was lost is found again by its label",
  async (system) => {
    await using t = await setup(system);
    const { answer } = t;
    t.http.behave((request) => {
      const answered = answer(request);
      return t.issues.length > 0 && t.issues.at(-1) === request ? { kind: "drop" } : answered;
    });
    await expect(t.update()).rejects.toMatchObject({ code: "ticket_system_down" });
    expect(await t.incident()).toMatchObject({ ticketUrl: null, state: "open" });

    t.http.behave(answer);
    expect(await t.update()).toEqual({ url: URLS[system](t.http.url) });
    expect(t.issues).toHaveLength(1);
  },
);

test.each(systems)(
  "%s: an incident of the same cause, after the former is gone, has a ticket of its own",
  async (system) => {
    await using t = await setup(system);
    const { url: former } = await t.update();
    const newId = await t.comeAnew();

    const { url } = await t.update(undefined, newId);
    expect(url).not.toBe(former);
    expect(t.issues).toHaveLength(2);
    await t.grow(30);
    await t.update(undefined, newId);
    const [comment] = t.comments;
    if (system === "webhook") expect(comment?.json).toMatchObject({ id: url.split("/").at(-1) });
    else expect(comment?.path).toContain(`/${url.split("/").at(-1)}/comment`);
  },
);

test.each(systems)(
  "%s: growth is told in one comment, also if the run ends before it is noted",
  async (system) => {
    await using t = await setup(system);
    await t.update();
    await t.grow(30);
    await t.update();
    expect(t.comments).toHaveLength(1);
    expect(t.comments[0]?.body).toContain("30 deaths by now, 3 when this ticket was last told");
    await t.update();
    expect(t.comments).toHaveLength(1);
    expect(await t.incident()).toMatchObject({ ticketToldCount: 30n });

    // As if the process had ended between the comment and the note.
    await t.db.updateTable("incidents").set({ ticketToldCount: 3n, deathCount: 31n }).execute();
    await t.update();
    if (system === "webhook")
      expect(t.comments[1]?.headers["idempotency-key"]).toBe(
        t.comments[0]?.headers["idempotency-key"],
      );
    else expect(t.comments).toHaveLength(1);
  },
);

test.each(systems)("%s: what is private, secret or an address is in no ticket", async (system) => {
  await using t = await setup(system);
  await t.update();
  await t.grow(30);
  await t.update();
  for (const { body } of [...t.issues, ...t.comments])
    for (const hidden of HIDDEN) expect(body).not.toContain(hidden);
});

test("GitHub gets an issue with labels, its texts in fences that nothing within ends", async () => {
  await using t = await setup("github");
  await t.update();
  const [issue] = t.issues;
  expect(issue).toMatchObject({
    path: "/repos/acme/erp/issues",
    headers: { authorization: "Bearer ghp-secret", "x-github-api-version": "2022-11-28" },
    json: {
      title: "send-invoice dies in email: refused by [mail]",
      labels: ["ballast", `ballast-${t.incidentId}`],
    },
  });
  expect(issue?.body).toContain("````text");
  expect(issue?.body).toContain(`https://ballast.example.org/v1/incidents/${t.incidentId}`);
});

test("Jira gets a document of text nodes, is searched by label in its new search, and signs in as the bot", async () => {
  await using t = await setup("jira");
  await t.update();
  expect(t.http.requests[0]).toMatchObject({
    path: "/rest/api/3/search/jql",
    json: {
      jql: expect.stringContaining(`project = "OPS" AND labels = "ballast-${t.incidentId}" `),
      fields: ["key"],
    },
  });
  expect(t.issues[0]).toMatchObject({
    path: "/rest/api/3/issue",
    headers: {
      authorization: `Basic ${Buffer.from("bot@example.org:jira-secret").toString("base64")}`,
    },
    json: {
      fields: {
        project: { key: "OPS" },
        issuetype: { name: "Bug" },
        summary: "send-invoice dies in email: refused by [mail]",
        description: {
          type: "doc",
          version: 1,
          content: [{ type: "paragraph" }, { type: "bulletList" }, {}, { type: "codeBlock" }, {}],
        },
      },
    },
  });
});

test("GitHub's limits are waited out, as a header or a moment; a wrong token is told", async () => {
  await using t = await setup("github");
  const refuse = (status: number, headers: Record<string, string>) =>
    t.http.behave({ kind: "answer", status, headers, body: "{}" });
  refuse(403, { "Retry-After": "60" });
  await expect(t.update()).rejects.toMatchObject({
    code: "ticket_system_limited",
    retryAfterMs: 60_000,
  });
  const reset = String(Math.ceil(Date.now() / 1_000) + 120);
  refuse(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset });
  await expect(t.update()).rejects.toMatchObject({ code: "ticket_system_limited" });
  refuse(401, {});
  await expect(t.update()).rejects.toMatchObject({ code: "ticket_system_refused" });
});

test("without a ticket system, whoever asks is told what to set", async () => {
  await using t = await setup("github");
  const none = updateTicketHandler({ db: t.db, tickets: undefined, privateFieldsOf, apiUrl: null });
  await expect(t.update(none)).rejects.toMatchObject({ code: "tickets_not_configured" });
});
