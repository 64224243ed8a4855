import type { Drill } from "./drill.ts";
import { doubleClick } from "./drills/double-click.ts";
import { engineDown } from "./drills/engine-down.ts";
import { engineKilled } from "./drills/engine-killed.ts";
import { explain } from "./drills/explain.ts";
import { hostileInput } from "./drills/hostile-input.ts";
import { pdfThenMail } from "./drills/pdf-then-mail.ts";
import { smtpCut } from "./drills/smtp-cut.ts";
import { workerKilled } from "./drills/worker-killed.ts";

/** Every drill, in the order they run; a new one is one more line. */
export const catalogue: readonly Drill[] = [
  engineDown,
  engineKilled,
  workerKilled,
  doubleClick,
  hostileInput,
  explain,
  smtpCut,
  pdfThenMail,
];
