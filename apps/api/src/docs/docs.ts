import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type RequestHandler, Router } from "express";
import helmet from "helmet";
import { docsHtml, problemsHtml } from "./pages.ts";
import { PAGE_CSS } from "./style.ts";

/** Nothing from elsewhere, nothing inline: what a caller stored is shown here and must stay text. */
const pagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", "data:"], // icons inside of Swagger UI's stylesheet
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

const START_JS = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  operationsSorter: (a, b) => 0, // as written: the order tells the story
  validatorUrl: null,
});
`;

/** `/docs` to read and try the API, `/openapi.json` for machines, `/problems` for every refusal. */
export function docsRoutes(openApi: object): Router {
  const document = JSON.stringify(openApi);
  const swaggerUi = dirname(fileURLToPath(import.meta.resolve("swagger-ui-dist/package.json")));
  const text =
    (type: string, body: string): RequestHandler =>
    (_req, res) => {
      res.type(type).set("Cache-Control", "no-cache").send(body);
    };
  return Router({ caseSensitive: true, strict: true })
    .get("/", (_req, res) => res.redirect(302, "/docs"))
    .get("/openapi.json", text("application/json", document))
    .use(["/docs", "/problems"], pagePolicy)
    .get("/docs", text("html", docsHtml()))
    .get("/problems", text("html", problemsHtml()))
    .get("/docs/page.css", text("css", PAGE_CSS))
    .get("/docs/start.js", text("js", START_JS))
    .get(
      ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/favicon-32x32.png"],
      (req, _res, next) => {
        req.url = req.url.slice("/docs".length); // these three files alone, by name
        next();
      },
      express.static(swaggerUi, { index: false, redirect: false, maxAge: "1h" }),
    );
}
