// One installation at a time per checkout, also when `npm start` and `npm test` begin together.
// The lock names its holders by process id and start time, so one left by a killed process is
// recognised at once, and a recycled id does not keep it alive.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** When a process began, in clock ticks since boot; "" where there is no /proc; undefined if it is gone. */
export function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== "EPERM") return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name may hold blanks
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return process.platform === "linux" ? undefined : "";
  }
}

const holder = (pid) => ({ pid, start: startOf(pid) });
const lives = ({ pid, start }) => startOf(pid) === start;

const read = (file) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
};

/** The lock appears with its content in one step, so nobody reads it half-written. */
function tryTake(file, mine) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Remove a lock whose holders are gone, unless somebody took it since we looked. */
function clear(file, seen) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another waiter was first
  }
  if (read(aside) !== seen) {
    try {
      linkSync(aside, file); // it was a live one: put it back
    } catch {}
  }
  rmSync(aside, { force: true });
}

/**
 * Run `work` while holding the lock. `work` gets `shareWith(pid)`: the lock then also holds while
 * that process lives, because an installer outlives a launcher that was killed.
 */
export async function withLock(file, work, onWait = () => {}) {
  const mine = JSON.stringify([holder(process.pid)]);
  let said = false;
  while (!tryTake(file, mine)) {
    const seen = read(file);
    if (seen === undefined) continue; // released between the two looks
    if (!JSON.parse(seen).some(lives)) {
      clear(file, seen);
      continue;
    }
    if (!said) onWait(JSON.parse(seen)[0].pid);
    said = true;
    await sleep(100);
  }
  try {
    return await work((pid) => {
      const draft = `${file}.${process.pid}`;
      writeFileSync(draft, JSON.stringify([holder(process.pid), holder(pid)]));
      renameSync(draft, file);
    });
  } finally {
    rmSync(file, { force: true });
  }
}
