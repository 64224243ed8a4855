import type { Drill } from "./drill.ts";
import { alertStorm } from "./drills/alert-storm.ts";
import { browserKilled } from "./drills/browser-killed.ts";
import { clusterNodeKilled } from "./drills/cluster-node-killed.ts";
import { crasherBesideInnocents } from "./drills/crasher-beside-innocents.ts";
import { databaseRestart } from "./drills/database-restart.ts";
import { deployMidJob } from "./drills/deploy-mid-job.ts";
import { doubleClick } from "./drills/double-click.ts";
import { drift } from "./drills/drift.ts";
import { engineDown } from "./drills/engine-down.ts";
import { engineForgets } from "./drills/engine-forgets.ts";
import { engineFrozen } from "./drills/engine-frozen.ts";
import { engineFull } from "./drills/engine-full.ts";
import { engineKilled } from "./drills/engine-killed.ts";
import { engineWiped } from "./drills/engine-wiped.ts";
import { eventLoopBlocked } from "./drills/event-loop-blocked.ts";
import { explain } from "./drills/explain.ts";
import { hostVanishes } from "./drills/host-vanishes.ts";
import { hostileInput } from "./drills/hostile-input.ts";
import { hotSku } from "./drills/hot-sku.ts";
import { late } from "./drills/late.ts";
import { marketplaceOutage } from "./drills/marketplace-outage.ts";
import { monthEnd } from "./drills/month-end.ts";
import { parkingCrash } from "./drills/parking-crash.ts";
import { pdfThenMail } from "./drills/pdf-then-mail.ts";
import { poisoned } from "./drills/poisoned.ts";
import { replay } from "./drills/replay.ts";
import { restored } from "./drills/restored.ts";
import { sentinelFailover } from "./drills/sentinel-failover.ts";
import { sickNeighbour } from "./drills/sick-neighbour.ts";
import { smtpCut } from "./drills/smtp-cut.ts";
import { smtpDown } from "./drills/smtp-down.ts";
import { staleLetter } from "./drills/stale-letter.ts";
import { throttled } from "./drills/throttled.ts";
import { versionSkew } from "./drills/version-skew.ts";
import { workerKilled } from "./drills/worker-killed.ts";

/** Every drill, in the order they run; a new one is one more line. */
export const catalogue: readonly Drill[] = [
  engineDown,
  engineKilled,
  engineForgets,
  engineWiped,
  engineFrozen,
  engineFull,
  sentinelFailover,
  clusterNodeKilled,
  databaseRestart,
  hostVanishes,
  restored,
  workerKilled,
  deployMidJob,
  eventLoopBlocked,
  versionSkew,
  doubleClick,
  hostileInput,
  explain,
  smtpCut,
  pdfThenMail,
  smtpDown,
  browserKilled,
  crasherBesideInnocents,
  poisoned,
  staleLetter,
  parkingCrash,
  alertStorm,
  replay,
  marketplaceOutage,
  throttled,
  sickNeighbour,
  hotSku,
  drift,
  late,
  monthEnd,
];
