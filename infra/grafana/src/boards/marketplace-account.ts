import type { Board } from "../board.ts";
import { figure, graph, timeline } from "../panels.ts";

const OF_ACCOUNT = 'marketplace="$marketplace", account="$account"';

export const marketplaceAccount: Board = {
  uid: "ballast-marketplace-account",
  title: "Ballast: marketplace account",
  says: "One account: whether it is called and what its quota leaves; and how its marketplace answers all of us.",
  pick: [
    { label: "marketplace", of: 'ballast_gate_closed{kind="marketplace"}' },
    {
      label: "account",
      of: 'ballast_gate_closed{kind="marketplace", marketplace="$marketplace"}',
    },
  ],
  rows: [
    {
      title: "This account",
      panels: [
        figure({
          title: "Gate",
          says: "Closed: the account is not called until a probe succeeds.",
          width: 4,
          query: `max by (account) (ballast_gate_closed{${OF_ACCOUNT}})`,
          words: ["open", "closed"],
          badAt: 1,
        }),
        figure({
          title: "Who must act",
          says: "A person, where it refuses our credentials or its certificate is not trusted; else its gate opens by itself.",
          width: 4,
          query: `max by (account) (ballast_gate_refused{${OF_ACCOUNT}})`,
          words: ["nobody", "a person"],
          badAt: 1,
        }),
        figure({
          title: "Quota left",
          says: "Calls or points that the account takes now, in the marketplace's own units.",
          width: 4,
          query: `max by (account) (ballast_quota_left{${OF_ACCOUNT}})`,
        }),
        figure({
          title: "Closed in the time shown",
          says: "Part of it in which the account was not called.",
          width: 6,
          unit: "percentunit",
          query: `max by (account) (avg_over_time(ballast_gate_closed{${OF_ACCOUNT}}[$__range]))`,
          warnAt: 0.01,
          badAt: 0.1,
        }),
        figure({
          title: "Accounts of this marketplace not called",
          says: "If all are closed, it is the marketplace and not the account.",
          width: 6,
          query:
            'sum(max by (account) (ballast_gate_closed{kind="marketplace", marketplace="$marketplace"}))',
          warnAt: 1,
        }),
        graph({
          title: "Quota left",
          says: "At 0, calls wait: that is pacing, and no error.",
          width: 12,
          queries: [
            { expr: `max by (account) (ballast_quota_left{${OF_ACCOUNT}})`, legend: "left" },
          ],
        }),
        timeline({
          title: "Gates of this marketplace's accounts",
          says: "A closed one costs probes, no attempts.",
          width: 12,
          query: {
            expr: 'max by (account) (ballast_gate_closed{kind="marketplace", marketplace="$marketplace"})',
            legend: "{{account}}",
          },
          good: "open",
          bad: "closed",
        }),
      ],
    },
    {
      title: "Its marketplace, all accounts",
      panels: [
        graph({
          title: "Calls by answer",
          says: "The status of the answer, or the code of what came instead.",
          width: 12,
          unit: "reqps",
          queries: [
            {
              expr: 'sum by (status) (rate(ballast_marketplace_calls_total{marketplace="$marketplace"}[$__rate_interval]))',
              legend: "{{status}}",
            },
          ],
        }),
        graph({
          title: "Calls throttled",
          says: "Part of all calls that was answered with 429: pacing should keep it near 0.",
          width: 12,
          unit: "percentunit",
          queries: [
            {
              expr: 'sum(rate(ballast_marketplace_calls_total{marketplace="$marketplace", status="429"}[$__rate_interval])) / sum(rate(ballast_marketplace_calls_total{marketplace="$marketplace"}[$__rate_interval]))',
              legend: "429",
            },
          ],
        }),
        graph({
          title: "Stock told, by outcome",
          says: "Items, of which a call may carry hundreds.",
          width: 12,
          unit: "ops",
          queries: [
            {
              expr: 'sum by (outcome) (rate(ballast_stock_items_total{marketplace="$marketplace"}[$__rate_interval]))',
              legend: "{{outcome}}",
            },
          ],
        }),
        graph({
          title: "Drift found",
          says: "Items that the marketplace held differently from us, in an hour.",
          width: 12,
          queries: [
            {
              expr: 'sum by (drift, action) (increase(ballast_stock_drift_total{marketplace="$marketplace"}[1h]))',
              legend: "{{drift}}: {{action}}",
            },
          ],
        }),
      ],
    },
  ],
};
