import { posix } from "node:path";
import { importsOf, type SourceImport } from "./source-imports.ts";

/** A TypeScript file of the workspace. */
export interface SourceFile {
  /** From the root, with slashes: `packages/jobs/src/worker.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Where a file belongs, and whether it is shipped. */
interface Place {
  /** `packages/jobs`, `apps/api`, `infra/local`. */
  readonly member: string;
  readonly shipped: boolean;
  readonly path: string;
}

interface Rule {
  readonly applies: (place: Place) => boolean;
  readonly forbids: (wanted: SourceImport) => boolean;
  readonly because: string;
}

const inMember =
  (...members: string[]) =>
  (p: Place) =>
    p.shipped && members.includes(p.member);
const inApps = (p: Place) => p.member.startsWith("apps/");
const packageOf = ({ specifier }: SourceImport) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
const anyOf =
  (...names: string[]) =>
  (i: SourceImport) =>
    names.includes(packageOf(i));
const ours = (i: SourceImport) => packageOf(i).startsWith("@ballast/");
const oursExcept =
  (...names: string[]) =>
  (i: SourceImport) =>
    ours(i) && !names.includes(packageOf(i).slice("@ballast/".length));
const outside = (i: SourceImport) =>
  !i.specifier.startsWith(".") && !i.specifier.startsWith("node:");
const engineDrivers = anyOf("bullmq", "ioredis");

/** Imports point one way: apps → jobs, database, service, storage → contracts. */
const rules: readonly Rule[] = [
  {
    applies: inMember("packages/contracts"),
    forbids: (i) => outside(i) && packageOf(i) !== "zod",
    because: "contracts depends on zod alone: other teams install it",
  },
  {
    applies: inMember("packages/jobs", "packages/database", "packages/service", "packages/storage"),
    forbids: oursExcept("contracts"),
    because: "of our packages it may use contracts alone: imports point one way",
  },
  {
    applies: (p) => inApps(p) && p.shipped,
    forbids: oursExcept("contracts", "jobs", "database", "service", "storage"),
    because:
      "an app uses contracts, jobs, database, service and storage: apps meet in a queue, tests stay in tests",
  },
  {
    applies: () => true,
    forbids: anyOf(
      "@ballast/api",
      "@ballast/pdf-worker",
      "@ballast/email-worker",
      "@ballast/marketplace-sync-worker",
      "@ballast/dlq-notifier",
    ),
    because: "nothing imports an app: apps meet in a queue",
  },
  {
    applies: inMember("packages/jobs"),
    forbids: anyOf("express", "puppeteer", "puppeteer-core", "nodemailer"),
    because: "jobs knows no HTTP, no browser and no mail",
  },
  {
    applies: (p) => inMember("packages/jobs")(p) && !p.path.startsWith("packages/jobs/src/engine/"),
    forbids: (i) =>
      (engineDrivers(i) || packageOf(i) === "pg") && !(i.typeOnly && packageOf(i) === "bullmq"),
    because: "what differs between engines lives in packages/jobs/src/engine alone",
  },
  {
    applies: (p) =>
      p.shipped &&
      !["packages/jobs", "packages/testing", "infra/drills", "infra/bench"].includes(p.member),
    forbids: engineDrivers,
    because: "only the runtime talks to the queue engine; drills play another team",
  },
  {
    applies: (p) =>
      p.shipped && p.member.startsWith("packages/") && p.member !== "packages/testing",
    forbids: anyOf("@ballast/testing"),
    because: "testing is for tests and infra",
  },
];

/** The workspace member of a path; undefined for files of the root. */
function placeOf(path: string): Place | undefined {
  const [top = "", name = "", folder = ""] = path.split("/");
  if (!["apps", "packages", "infra"].includes(top) || !folder) return undefined;
  return { member: `${top}/${name}`, shipped: folder === "src", path };
}

/**
 * What breaks the import rules, one line each.
 *
 * @param exportsOf the public paths of a package of ours, e.g. `[".", "./package.json"]`
 */
export function brokenImports(
  file: SourceFile,
  exportsOf: (packageName: string) => readonly string[],
): string[] {
  const place = placeOf(file.path);
  if (!place) return [];
  return importsOf(file.text).flatMap((wanted) => {
    const reasons = rules
      .filter((rule) => rule.applies(place) && rule.forbids(wanted))
      .map((rule) => rule.because);
    if (leavesMember(place, wanted)) reasons.push("a relative path stays within its package");
    if (ours(wanted) && !exportsOf(packageOf(wanted)).includes(subpathOf(wanted))) {
      reasons.push("it is none of the paths that the package exports");
    }
    return reasons.map((why) => `${file.path}:${wanted.line} imports ${wanted.specifier}: ${why}`);
  });
}

const subpathOf = (i: SourceImport) => `.${i.specifier.slice(packageOf(i).length)}`;

/** Tests of infra look at the whole product from outside, apps included, which export nothing. */
const looksFromOutside = (place: Place) => place.member.startsWith("infra/") && !place.shipped;

function leavesMember(place: Place, { specifier }: SourceImport): boolean {
  if (!specifier.startsWith(".")) return specifier.startsWith("/");
  if (looksFromOutside(place)) return false;
  const target = posix.join(posix.dirname(place.path), specifier);
  return !target.startsWith(`${place.member}/`);
}
