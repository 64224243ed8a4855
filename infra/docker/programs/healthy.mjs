// A health check without curl: exits 0 if the process beside it says that it is alive; with `readyz`, that it can work.
const { OPS_PORT = "9464" } = process.env;
const [path = "healthz"] = process.argv.slice(2);
try {
  const answer = await fetch(`http://127.0.0.1:${OPS_PORT}/${path}`, {
    signal: AbortSignal.timeout(3_000),
  });
  console.log(await answer.text());
  process.exit(answer.ok ? 0 : 1);
} catch {
  process.exit(1);
}
