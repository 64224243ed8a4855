import type { MarketplaceDouble } from "./double.ts";
import { type Answer, type Call, header, object } from "./imitation.ts";
import { isMode, type MarketplaceMode, marketplaceModes } from "./modes.ts";

type Controlled = Pick<
  MarketplaceDouble,
  "token" | "stock" | "setMode" | "setQuota" | "drift" | "fightBack" | "counts"
>;

/**
 * `GET /_control`: mode, counts and stock. `POST /_control` with any of `mode`, `quota {burst, perSecond}`,
 * `drift {share}` and `fightBack [sku]`. Free of every quota, and reached while it is down.
 */
export function control(call: Call, double: Controlled, mode: MarketplaceMode): Answer {
  if (header(call, "authorization") !== `Bearer ${double.token}`)
    return refuse(401, "unauthorized", "a valid bearer token is needed");
  if (call.method === "GET")
    return {
      status: 200,
      body: { mode, counts: double.counts(), stock: Object.fromEntries(double.stock) },
    };

  const wanted = object(call.json);
  const quota = object(wanted["quota"]);
  const share = object(wanted["drift"])["share"];
  const stubborn = wanted["fightBack"];
  const told: Record<string, unknown> = {};
  if (wanted["mode"] !== undefined) {
    if (!isMode(wanted["mode"]))
      return refuse(422, "invalid_mode", `mode must be one of ${marketplaceModes.join(", ")}`);
    double.setMode(wanted["mode"]);
    told["mode"] = wanted["mode"];
  }
  if (wanted["quota"] !== undefined) {
    const { burst, perSecond } = quota;
    if (!(Number(burst) > 0 && Number(perSecond) > 0))
      return refuse(422, "invalid_quota", "quota must have burst and perSecond, both above 0");
    double.setQuota({ burst: Number(burst), perSecond: Number(perSecond) });
    told["quota"] = { burst, perSecond };
  }
  if (share !== undefined) {
    if (!(Number(share) >= 0 && Number(share) <= 1))
      return refuse(422, "invalid_share", "drift.share must be in 0 to 1");
    told["drifted"] = double.drift(Number(share));
  }
  if (stubborn !== undefined) {
    if (!Array.isArray(stubborn)) return refuse(422, "invalid_skus", "fightBack must be an array");
    double.fightBack(stubborn.map(String));
    told["fightBack"] = stubborn;
  }
  return { status: 200, body: told };
}

const refuse = (status: number, code: string, message: string): Answer => ({
  status,
  body: { error: { code, message } },
});
