import { readFileSync } from "node:fs";
import { join } from "node:path";
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  BullBoardRequest,
  IServerAdapter,
  UIConfig,
} from "@bull-board/api/dist/types.js";
import express, { Router } from "express";
import { Problem } from "../http/problem.ts";

/** Serves what bull-board reads, and nothing that it would change: other methods are not even routed. */
export class BoardServer implements IServerAdapter {
  readonly router: Router = Router();
  readonly #basePath: string;
  #queues: BullBoardQueues = new Map();
  #uiConfig: UIConfig = {};
  #page = "";

  constructor(basePath: string) {
    this.#basePath = basePath;
  }

  setQueues(queues: BullBoardQueues): this {
    this.#queues = queues;
    return this;
  }

  setViewsPath(folder: string): this {
    this.#page = withoutStrangers(readFileSync(join(folder, "index.ejs"), "utf8"));
    return this;
  }

  setStaticPath(route: string, folder: string): this {
    this.router.use(route, express.static(folder, { index: false, redirect: false, maxAge: "1h" }));
    return this;
  }

  setUIConfig(config: UIConfig): this {
    this.#uiConfig = config;
    return this;
  }

  setEntryRoute({ route, handler }: AppViewRoute): this {
    this.router.get(route, (_req, res) => {
      const { params } = handler({ basePath: this.#basePath, uiConfig: this.#uiConfig });
      const page = this.#page.replaceAll(/<%[=-] (\w+) %>/g, (_, name: string) =>
        String(params[name] ?? ""),
      );
      res.type("html").set("Cache-Control", "no-store").send(page);
    });
    return this;
  }

  /** Errors are answered where all others are. */
  setErrorHandler(): this {
    return this;
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    for (const { method, route, handler } of routes)
      if (method === "get")
        this.router.get(route, async (req, res) => {
          const request = { query: req.query, params: req.params, headers: {}, body: {} };
          const answer = await Promise.resolve(handler(this.#request(request))).catch(away);
          res
            .status(answer.status ?? 200)
            .set("Cache-Control", "no-store")
            .json(answer.body);
        });
    return this;
  }

  #request(read: Pick<BullBoardRequest, "query" | "params" | "headers" | "body">) {
    return { ...read, queues: this.#queues, uiConfig: this.#uiConfig };
  }
}

const away = (cause: unknown): never => {
  throw new Problem("unavailable", "the queue engine does not answer", {
    headers: { "Retry-After": "5" },
    cause,
  });
};

/** Its page loads fonts from elsewhere and has styles inside: our policy would refuse both. */
const withoutStrangers = (page: string): string =>
  page
    .replaceAll(/<link href="https:[^>]*>/g, "")
    .replace(/<div id="root">[\s\S]*?<\/style>\s*<\/div>/, '<div id="root"></div>');
