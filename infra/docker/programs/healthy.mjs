// A health check without curl: exits 0 if the process beside it says that it is alive.
const { OPS_PORT = "9464" } = process.env;
try {
  const { ok } = await fetch(`http://127.0.0.1:${OPS_PORT}/healthz`, {
    signal: AbortSignal.timeout(3_000),
  });
  process.exit(ok ? 0 : 1);
} catch {
  process.exit(1);
}
